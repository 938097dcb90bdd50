//! The handles under an executor that is not async-std's.

use hopen_async_std::{Channel, Error, Received, hopen};
use hopen_codec::config::Config;
use hopen_codec::value::Value;

#[test]
fn tasks_share_a_handle_on_smol() {
    smol::block_on(async {
        let listener = smol::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = smol::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let login = Channel::new(stream).receive_login(Config::server(), None);
            let mut handle = login.await?.accept().await?;
            loop {
                match handle.receive().await {
                    Ok(Received::Request(ticket, question)) => {
                        handle.respond(ticket, Ok(question)).await?;
                    }
                    Ok(Received::Async(message)) => handle.set(message).await?,
                    Err(Error::Closed) => return Ok::<(), Error>(()),
                    Err(error) => return Err(error),
                }
            }
        });
        let (handle, driver) = hopen(port).await.unwrap().into_shared();
        let driver = smol::spawn(driver);
        let tasks: Vec<_> = (0..50_i64)
            .map(|number| {
                let handle = handle.clone();
                smol::spawn(async move { handle.get(number).await.unwrap() == Value::from(number) })
            })
            .collect();
        for task in tasks {
            assert!(task.await, "each task gets its own answer");
        }
        handle.set("echo").await.unwrap();
        assert_eq!(handle.recv().await.unwrap(), Value::from("echo"));
        handle.close();
        driver.await.unwrap();
        assert!(matches!(handle.get("late").await, Err(Error::BadHandle)));
        server.await.unwrap();
    });
}
