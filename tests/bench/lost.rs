//! A page of the bench that has lost its connection.

use super::{Bench, stays};
use crate::common::browser::Driver;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A way to the bench that can be cut.
struct Wire {
    port: u16,
    open: Arc<Mutex<Vec<TcpStream>>>,
    cut: Arc<std::sync::atomic::AtomicBool>,
}

impl Wire {
    fn to(address: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, cut) = (Arc::new(Mutex::new(Vec::new())), Arc::new(std::sync::atomic::AtomicBool::new(false)));
        let wire = Self { port, open: open.clone(), cut: cut.clone() };
        std::thread::spawn(move || {
            for here in listener.incoming().map_while(Result::ok) {
                if cut.load(std::sync::atomic::Ordering::SeqCst) {
                    continue;
                }
                let Ok(there) = TcpStream::connect(&address) else { continue };
                for (mut from, mut into) in [
                    (here.try_clone().unwrap(), there.try_clone().unwrap()),
                    (there.try_clone().unwrap(), here.try_clone().unwrap()),
                ] {
                    std::thread::spawn(move || {
                        let mut bytes = [0; 4096];
                        while let Ok(count @ 1..) = from.read(&mut bytes) {
                            if into.write_all(&bytes[..count]).is_err() {
                                break;
                            }
                        }
                        let _ = into.shutdown(Shutdown::Both);
                    });
                }
                open.lock().unwrap().extend([here, there]);
            }
        });
        wire
    }

    fn set_cut(&self, cut: bool) {
        self.cut.store(cut, std::sync::atomic::Ordering::SeqCst);
        if cut {
            self.open.lock().unwrap().drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_is_told_and_comes_back() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let wire = Wire::to(bench.base().trim_start_matches("http://").to_owned());
    let browser = driver.browser("anna").await;
    browser.go(&bench.address.replace(bench.base(), &format!("http://127.0.0.1:{}", wire.port))).await;
    browser.sees("3 of 3").await;
    browser.0.execute("window.stays = true", vec![]).await.unwrap();
    wire.set_cut(true);
    browser.sees("The connection is lost").await;
    browser.press_here("Wrong PIN").await;
    browser.sees("The bench gave no answer").await;
    assert_eq!(bench.tries("Anna", "pin"), 3);
    bench.card(&["state", "--pin", "1"]).ok();
    wire.set_cut(false);
    browser.sees("last PIN try").await;
    browser.sees_no_more("The connection is lost").await;
    // As it was when the page came, and not as it was when the connection was lost.
    wire.set_cut(true);
    browser.sees("The connection is lost").await;
    bench.card(&["state", "fresh"]).ok();
    wire.set_cut(false);
    browser.sees_in("#now-0", "3 of 3").await;
    browser.sees_no_more("The connection is lost").await;
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// A browser has six connections to one place. Pages that nobody sees hold none, so that any number can be open; who comes back to one
/// sees what is.
#[tokio::test]
async fn pages_that_nobody_sees_hold_no_connection() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let browser = bench.open(&driver, "anna").await;
    let first = browser.0.window().await.unwrap();
    for _ in 0..8 {
        let tab = browser.0.new_window(true).await.unwrap();
        browser.0.switch_to_window(tab.handle).await.unwrap();
        browser.go(&format!("{}/", bench.base())).await;
        browser.sees("3 of 3").await;
    }
    bench.card(&["state", "last-try"]).ok();
    browser.sees_in("#now-0", "1 of 3").await;
    browser.0.switch_to_window(first).await.unwrap();
    browser.sees_in("#now-0", "1 of 3").await;
    stays(&browser).await;
    browser.0.close().await.unwrap();
}
