//! The gateway: connections, the handshake, and frames to those they are for.

use std::collections::HashMap;
use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use nanobook::trading::decimal;

use super::desk::{Desk, Out, Then, To, error};
use super::fault::Fault;
use super::wire::{self, Message};

/// The version of the protocol, which clients of 2026-10 speak.
const VERSION: i32 = 226;

/// A gateway on loopback, until it is dropped.
///
/// # Examples
/// ```
/// use nanobook_broker::fake::tws::TwsGateway;
///
/// let gateway = TwsGateway::start()?;
/// assert!(gateway.address().starts_with("127.0.0.1:"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct TwsGateway {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    desk: Mutex<Desk>,
    /// Where frames for a client go.
    clients: Mutex<HashMap<i32, TcpStream>>,
    stop: AtomicBool,
    /// The newest version of the protocol that it speaks.
    version: AtomicI32,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TwsGateway {
    /// Listens on a free port: the paper account `DU1234567` with 100,000 USD and 50 MSFT.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let shared = Arc::new(Shared {
            desk: Mutex::new(Desk::new()),
            clients: Mutex::new(HashMap::new()),
            stop: AtomicBool::new(false),
            version: AtomicI32::new(VERSION),
        });
        let gateway = Self {
            address: listener.local_addr()?,
            shared: shared.clone(),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stop.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(stream) = stream {
                    let shared = shared.clone();
                    thread::spawn(move || serve(stream, &shared));
                }
            }
        });
        Ok(gateway)
    }

    /// Its address.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        lock(&self.shared.desk)
    }

    fn send(&self, out: &[Out]) {
        deliver(&self.shared, None, out);
    }

    /// Lets something go wrong. `RepeatStatus`, `ExecutionFirst`, `PendingCommission`, `NoMarketData` and `Delayed` last;
    /// the others happen once.
    pub fn fail(&self, fault: Fault) {
        self.desk().faults.push_back(fault);
    }

    /// Ends what lasts.
    pub fn heal(&self) {
        self.desk().faults.clear();
    }

    /// Makes the gateway an older one.
    pub fn set_version(&self, version: i32) {
        self.shared.version.store(version, Ordering::Relaxed);
    }

    /// Puts other accounts behind the login.
    pub fn set_accounts(&self, accounts: &[&str]) {
        self.desk().accounts = accounts.iter().map(ToString::to_string).collect();
    }

    /// Shows a quote, with the same quantity on both sides; a price of zero is a side that is missing.
    pub fn set_quote(&self, symbol: &str, [bid, ask, qty]: [&str; 3]) {
        let units = |text: &str| decimal::parse(text).unwrap_or_default();
        let quote = [units(bid), units(ask), units(qty), units(qty)];
        let out = self.desk().show(symbol, quote);
        self.send(&out);
    }

    /// Sets when an instrument trades, as the gateway lists it: time zone, all hours, regular hours.
    pub fn set_hours(&self, symbol: &str, hours: [&str; 3]) {
        let hours = hours.map(str::to_owned);
        self.desk().listing.hours.insert(symbol.to_owned(), hours);
    }

    /// Sets the gateway's clock apart from that of the machine.
    pub fn set_clock(&self, offset_ms: i64) {
        self.desk().clock_ms = offset_ms;
    }

    /// Whether the last order with a reference may trade outside regular hours; `None` when there is none.
    pub fn outside_hours(&self, order_ref: &str) -> Option<bool> {
        self.desk().outside_hours(order_ref)
    }

    /// Sets ticks by price: the lowest price of each band and its tick, lowest first.
    pub fn set_ticks(&self, symbol: &str, bands: &[[&str; 2]]) {
        self.desk().listing.set_ticks(symbol, bands);
    }

    /// Fills part of the last order with a reference, at a price.
    pub fn fill(&self, order_ref: &str, [qty, price]: [&str; 2]) {
        let units = |text: &str| decimal::parse(text).unwrap_or_default();
        let mut desk = self.desk();
        let found = desk.orders.iter().rposition(|o| o.order_ref == order_ref);
        let out = found.map(|at| desk.trade(at, units(qty), units(price)));
        drop(desk);
        self.send(&out.unwrap_or_default());
    }

    /// Corrects the price of the last execution.
    pub fn correct(&self, price: &str) {
        self.desk()
            .correct(decimal::parse(price).unwrap_or_default());
    }

    /// Gives an order a second permanent id.
    pub fn split(&self, order_ref: &str) {
        self.desk().split(order_ref);
    }

    /// How many orders were accepted with a reference.
    pub fn accepted(&self, order_ref: &str) -> usize {
        self.desk()
            .orders
            .iter()
            .filter(|o| o.order_ref == order_ref)
            .count()
    }

    /// The symbol of the last execution.
    pub fn last_symbol(&self) -> Option<String> {
        self.desk().last_symbol().map(str::to_owned)
    }

    /// Numbers of the requests so far.
    pub fn requests(&self) -> Vec<i32> {
        self.desk().log.clone()
    }

    /// Tells everybody something about the connection to the venue: 1100 lost, 1101 and 1102 restored.
    pub fn notify(&self, code: i32) {
        let clients: Vec<i32> = lock(&self.shared.clients).keys().copied().collect();
        let frames: Vec<Out> = clients
            .into_iter()
            .map(|client| {
                (
                    To::Client(client),
                    4,
                    error(-1, code, "Connectivity between IBKR and the gateway"),
                )
            })
            .collect();
        self.send(&frames);
    }

    /// Cuts all connections, as a restart does.
    pub fn cut(&self) {
        for (_, stream) in lock(&self.shared.clients).drain() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for TwsGateway {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.cut();
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn deliver(shared: &Shared, asker: Option<i32>, out: &[Out]) {
    let mut clients = lock(&shared.clients);
    for (to, id, message) in out {
        let client = match to {
            To::Asker => asker,
            To::Client(client) => Some(*client),
        };
        if let Some(stream) = client.and_then(|client| clients.get_mut(&client)) {
            // Who has gone does not hear it.
            let _ = wire::write(stream, *id, message);
        }
    }
}

/// Says who it is; `None` when the other side does not speak the dialect.
fn handshake(stream: &mut TcpStream, newest: i32) -> Option<()> {
    let mut hello = [0; 4];
    stream.read_exact(&mut hello).ok()?;
    let versions = String::from_utf8(wire::read_raw(stream)?).ok()?;
    let range = versions.strip_prefix('v')?.split_whitespace().next()?;
    let most = range.rsplit("..").next()?.parse::<i32>().ok()?;
    if hello != *b"API\0" || most < 213 {
        return None;
    }
    let version = most.min(newest);
    let body = format!("{version}\0{}\0", "20261123 14:00:00 UTC");
    wire::write_raw(stream, body.as_bytes()).ok()
}

fn serve(mut stream: TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    if handshake(&mut stream, shared.version.load(Ordering::Relaxed)).is_none() {
        return;
    }
    let Some((71, start)) = wire::read(&mut stream) else {
        return;
    };
    let client = i32::try_from(start.int(1)).unwrap_or_default();
    let mut desk = lock(&shared.desk);
    if let Some(Fault::ClientIdBusy { times }) =
        desk.take(|f| matches!(f, Fault::ClientIdBusy { .. }))
    {
        if times > 1 {
            desk.faults
                .push_front(Fault::ClientIdBusy { times: times - 1 });
        }
        let _ = wire::write(
            &mut stream,
            4,
            &error(
                -1,
                326,
                "Unable to connect as the client id is already in use.",
            ),
        );
        return;
    }
    if desk.take(|f| *f == Fault::RollBack).is_some() {
        desk.next_order_id = 1;
    }
    let accounts = Message::new().with_text(1, desk.accounts.join(","));
    let next = Message::new().with_int(1, desk.next_order_id);
    drop(desk);
    let farm = error(-1, 2104, "Market data farm connection is OK:usfarm");
    for (id, message) in [(15, accounts), (9, next), (4, farm)] {
        if wire::write(&mut stream, id, &message).is_err() {
            return;
        }
    }
    let Ok(writer) = stream.try_clone() else {
        return;
    };
    lock(&shared.clients).insert(client, writer);
    while let Some((id, request)) = wire::read(&mut stream) {
        let (out, then) = lock(&shared.desk).handle(client, id, &request);
        deliver(shared, Some(client), &out);
        match then {
            Then::Go => {}
            Then::Cut => break,
            Then::Deaf => {
                // The other side believes that somebody is here.
                while !shared.stop.load(Ordering::Relaxed)
                    && lock(&shared.clients).contains_key(&client)
                {
                    thread::sleep(std::time::Duration::from_millis(10));
                }
                break;
            }
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}
