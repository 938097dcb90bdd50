//! What our ends are told about TLS.

use std::path::Path;
use std::sync::LazyLock;

use hopen_tls::{Client, Server, Settings, VerifyServer};

/// What our end is told as a client: any certificate will do.
pub(crate) fn client() -> Client {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        let mut settings = Settings::default();
        settings.verify_server = VerifyServer::Off;
        Client::new(&settings).expect("nothing has to be read")
    });
    CLIENT.clone()
}

/// What our end is told as a server.
pub(crate) fn server() -> Server {
    static SERVER: LazyLock<Server> = LazyLock::new(|| {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/tls/tests/fixtures");
        let mut settings = Settings::default();
        settings.certificate_file = Some(fixtures.join("server.pem"));
        settings.key_file = Some(fixtures.join("server-key.pem"));
        Server::new(&settings).expect("they belong together")
    });
    SERVER.clone()
}
