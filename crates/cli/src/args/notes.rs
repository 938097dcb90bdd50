//! What `--help` says beside the options.

pub(super) const QUERY_USAGE: &str = "hopen [OPTIONS] HANDLE [QUERY]...
       hopen subscribe [OPTIONS] HANDLE TABLE [SYMS]
       hopen read [OPTIONS] HANDLE
       hopen append HANDLE LINE...
       hopen decode [OPTIONS] [FILE]...
       hopen recode [OPTIONS] [FILE]...
       hopen serve [OPTIONS]
       hopen demo";

pub(super) const APPEND_USAGE: &str = "hopen append HANDLE LINE...
       hopen append --raw HANDLE";

pub(super) const SHORT_NOTES: &str = "Example: hopen :localhost:5010 'til 5'";

pub(super) const NOTES: &str = "\
Examples:
  hopen :localhost:5010 'til 5'
  hopen --timeout 500 :prices.example:5010:ann '-2+3' 'count trade'
  hopen --async ::5010 'a:1' 'b:2'
  hopen ::5010 < query.q
  hopen --csv :tcps://prices.example:5010 'select from trade' > trade.csv
  hopen '(`:unix://5010;500)' 'til 5'
  hopen subscribe --csv ::5010 trade ibm,amd > trades.csv
  hopen read --lines :fifo://trades
  hopen append :notes.txt 'a line' 'another'
  echo 0x010000000d000000fa01000000 | hopen decode --explain
  hopen serve --listen 5010 --user ann:secret

Where queries are typed:
  \\\\           leaves, as does Ctrl-D
  \\reconnect   connects again
  Ctrl-C       gives up an answer; the process goes on, and the next query waits for it
All else goes to the process. Lines are kept in $XDG_STATE_HOME/hopen/history (~/.local/state), but
for such that begin with a blank or hold the handle's password.

Environment:
  HOPEN_PASSWORD          the password, where neither HANDLE nor --password-file has one
  KX_SSL_CA_CERT_FILE     for TLS: whom to trust, a PEM file (if not set: the system's store)
  KX_SSL_CA_CERT_PATH     the same, a folder of such files
  KX_SSL_VERIFY_SERVER    HOSTIP (if not set): certificate and name; YES: certificate; NO: nothing
  KX_SSL_CERT_FILE        the certificate of this end, and
  KX_SSL_KEY_FILE         its key, where the other end asks, and for `hopen serve`
  KX_SSL_VERIFY_CLIENT    for `hopen serve`: NO (if not set), YES, IFPRESENT or REQUESTONLY
  KX_SSL_MINPROTOCOL, KX_SSL_MAXPROTOCOL
                          TLSv1.2 or TLSv1.3
  QUDSPATH                the folder of Unix domain sockets (if not set: /tmp)
Those with KX_SSL_ may be called SSL_ as well, as q has them; the one with KX_ comes first.

Exit status:
   0  everything was answered; `hopen subscribe` was ended by Ctrl-C
   1  q signalled an error, printed as 'text, or with --csv a value is no table; the queries after
      it are not asked
   2  there is no connection or no port, or it ended too early: 'hop. OS reports: …, 'access (the
      login was refused), 'timeout, 'close, 'badmsg
  64  the command line is wrong
  66  a file cannot be read
  74  the output, or the file of `hopen append`, cannot be written";

pub(super) const INPUT_NOTES: &str = "\
A hex line is one message: white space may stand between the digits, and 0x before a byte. Blank
lines are skipped.

A message that cannot be read becomes a line that begins with `error:` and says at which byte of the
message, from 0; in a compressed one, of the message without compression. The same goes to standard
error behind FILE:LINE, with --raw behind FILE and the byte at which the message begins. The other
messages are still done; with --raw, nothing is left to be found behind a header that is none.

Exit status: 0; 1 if a message could not be read; 64 if the command line is wrong; 66 if a file
cannot be read; 74 if the output cannot be written.";
