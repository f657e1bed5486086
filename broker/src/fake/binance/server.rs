//! The server: requests in, answers and faults out.

use std::fmt::Write as _;
use std::io::BufReader;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Verifier as _};
use hmac::{Hmac, Mac};
use nanobook::trading::decimal;
use serde_json::{Value, json};
use sha2::Sha256;

use super::super::http::{self, Request};
use super::venue::{Fault, Key, LISTED, New, Quote, Refusal, Venue, number, refuse, text};

/// A server on loopback, until it is dropped.
///
/// # Examples
/// ```
/// use nanobook_broker::fake::binance::{BinanceServer, Key};
///
/// let server = BinanceServer::start()?;
/// server.allow("test-key", Key::Hmac("test-secret".to_owned()));
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct BinanceServer {
    address: SocketAddr,
    venue: Arc<Mutex<Venue>>,
    stop: Arc<AtomicBool>,
}

fn wall_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn lock(venue: &Mutex<Venue>) -> MutexGuard<'_, Venue> {
    venue.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BinanceServer {
    /// Listens on a free port: three instruments, 100,000 USDT and one BTC, no key.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start() -> std::io::Result<Self> {
        Self::start_at(0)
    }

    /// The same on a certain port.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start_at(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let server = Self {
            address: listener.local_addr()?,
            venue: Arc::new(Mutex::new(Venue::new())),
            stop: Arc::new(AtomicBool::new(false)),
        };
        let (venue, stop) = (server.venue.clone(), server.stop.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (venue, stop) = (venue.clone(), stop.clone());
                thread::spawn(move || serve(stream, &venue, &stop));
            }
        });
        Ok(server)
    }

    /// Its address, to be used as a base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn venue(&self) -> MutexGuard<'_, Venue> {
        lock(&self.venue)
    }

    /// Lets a key in.
    pub fn allow(&self, key: &str, check: Key) {
        self.venue().keys.insert(key.to_owned(), check);
    }

    /// What goes wrong with the next request of this method and path, such as `POST /api/v3/order`. Several wait in
    /// line.
    pub fn fail_next(&self, request: &str, fault: Fault) {
        self.venue().faults.push_back((request.to_owned(), fault));
    }

    /// Sets the venue's clock apart from that of the machine.
    pub fn set_clock(&self, offset_ms: i64) {
        self.venue().clock_ms = offset_ms;
    }

    /// Sets the weight of a minute.
    pub fn set_weight_limit(&self, most: u32) {
        self.venue().weight_limit = most;
    }

    /// Sets the orders of ten seconds.
    pub fn set_order_limit(&self, most: u32) {
        self.venue().order_limit = most;
    }

    /// Stops an instrument: `HALT`, `BREAK` or `CANCEL_ONLY`.
    pub fn set_status(&self, symbol: &str, status: &str) {
        let mut venue = self.venue();
        let statuses = &mut venue.filters.statuses;
        statuses.insert(symbol.to_owned(), status.to_owned());
    }

    /// Sets how much of an asset is free.
    pub fn set_balance(&self, asset: &str, free: &str) {
        let units = decimal::parse(free).unwrap_or_default();
        self.venue().balances.insert(asset.to_owned(), (units, 0));
    }

    /// Shows a quote, with the same quantity on both sides; resting orders meet it.
    pub fn set_quote(&self, symbol: &str, [bid, ask, qty]: [&str; 3]) {
        let units = |text: &str| decimal::parse(text).unwrap_or_default();
        let mut venue = self.venue();
        let now = wall_ms() + venue.clock_ms;
        let quote = Quote {
            bid: (units(bid), units(qty)),
            ask: (units(ask), units(qty)),
        };
        venue.show(symbol, quote, now);
    }

    /// Sets a filter of an instrument, or, without a symbol, of the exchange or an asset, in place of one of its kind.
    pub fn set_filter(&self, symbol: &str, filter: Value) {
        self.venue().filters.set(symbol, filter);
    }

    /// Sets the mean price of the last five minutes, which is otherwise the middle of the quote.
    pub fn set_mean(&self, symbol: &str, price: &str) {
        let units = decimal::parse(price).unwrap_or_default();
        self.venue().filters.means.insert(symbol.to_owned(), units);
    }

    /// Gives an instrument a reference price.
    pub fn set_reference(&self, symbol: &str, price: &str) {
        let units = decimal::parse(price).unwrap_or_default();
        let mut venue = self.venue();
        venue.filters.references.insert(symbol.to_owned(), units);
    }

    /// Sets volume and value of the last minutes, newest last.
    pub fn set_minutes(&self, symbol: &str, bars: &[[&str; 2]]) {
        let units = |text: &str| decimal::parse(text).unwrap_or_default();
        let bars = bars.iter().map(|bar| bar.map(units)).collect();
        self.venue().filters.bars.insert(symbol.to_owned(), bars);
    }

    /// Fills part of an open order at its price.
    pub fn fill(&self, client_order_id: &str, qty: &str) {
        let units = decimal::parse(qty).unwrap_or_default();
        let mut venue = self.venue();
        let now = wall_ms() + venue.clock_ms;
        let found = venue
            .orders
            .iter()
            .rposition(|o| o.client_id == client_order_id);
        if let Some(at) = found {
            let price = venue.orders[at].price;
            venue.trade(at, units, price, now, true);
        }
    }

    /// How many orders were accepted with an id.
    pub fn accepted(&self, client_order_id: &str) -> usize {
        let venue = self.venue();
        venue
            .orders
            .iter()
            .filter(|o| o.client_id == client_order_id)
            .count()
    }

    /// Method and path of every request so far.
    pub fn requests(&self) -> Vec<String> {
        self.venue().log.clone()
    }

    /// Requests that came although a pause was asked for.
    pub fn ignored_pauses(&self) -> u32 {
        self.venue().ignored
    }
}

impl Drop for BinanceServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, venue: &Mutex<Venue>, stop: &AtomicBool) {
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    let _ = writer.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    while let Some(request) = http::read(&mut reader) {
        if stop.load(Ordering::Relaxed) || !answer(&request, &mut writer, venue) {
            break;
        }
    }
    let _ = writer.shutdown(Shutdown::Both);
}

/// Answers a request; `false` when the connection is to be cut.
fn answer(request: &Request, writer: &mut TcpStream, venue: &Mutex<Venue>) -> bool {
    let name = format!("{} {}", request.method, request.path);
    let mut state = lock(venue);
    let is_control = request.path.starts_with("/fake/");
    if is_control {
        let (status, body) = control(&mut state, request);
        return http::write(writer, status, &[], &body);
    }
    state.log.push(name.clone());
    let waiting = state
        .faults
        .iter()
        .position(|(request, _)| *request == name);
    let fault = waiting
        .and_then(|at| state.faults.remove(at))
        .map(|(_, fault)| fault);
    let processed = match &fault {
        Some(
            Fault::Drop { processed }
            | Fault::Silence { processed }
            | Fault::Answer { processed, .. },
        ) => *processed,
        _ => true,
    };
    let hidden = match &fault {
        Some(Fault::Hide { questions }) => *questions,
        _ => 0,
    };
    let now = wall_ms() + state.clock_ms;
    let mut headers = Vec::new();
    let result = if processed {
        process(&mut state, request, now, hidden, &mut headers)
    } else {
        Ok(Value::Null)
    };
    drop(state);
    let (mut status, mut body) = match result {
        Ok(value) => (200, value.to_string()),
        Err((status, code, msg)) => (status, json!({"code": code, "msg": msg}).to_string()),
    };
    match fault {
        Some(Fault::Drop { .. }) => return false,
        Some(Fault::Silence { .. }) => {
            // Longer than any client of a test waits.
            thread::sleep(Duration::from_secs(5));
            return false;
        }
        Some(Fault::Answer {
            status: other,
            code,
            text,
            retry_after,
            ..
        }) => {
            status = other;
            body = if code == 0 {
                format!("<html>{text}</html>")
            } else {
                json!({"code": code, "msg": text}).to_string()
            };
            if let Some(seconds) = retry_after {
                headers.push(("Retry-After".to_owned(), seconds.to_string()));
            }
        }
        Some(Fault::Slow { ms }) => thread::sleep(Duration::from_millis(ms)),
        Some(Fault::Garbage) => body.truncate(body.len() / 2),
        Some(Fault::Hide { .. }) | None => {}
    }
    http::write(writer, status, &headers, &body)
}

/// Commands of a test in another process: `/fake/quote`, `/fake/fill`, `/fake/fault`.
fn control(venue: &mut Venue, request: &Request) -> (u16, String) {
    let params = http::params(&request.query, &request.body);
    let get = |name: &str| {
        let found = params.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let units = |name: &str| decimal::parse(get(name)).unwrap_or_default();
    let now = wall_ms() + venue.clock_ms;
    match request.path.as_str() {
        "/fake/quote" => {
            let quote = Quote {
                bid: (units("bid"), units("qty")),
                ask: (units("ask"), units("qty")),
            };
            venue.show(get("symbol"), quote, now);
        }
        "/fake/clock" => venue.clock_ms = get("ms").parse().unwrap_or_default(),
        "/fake/fault" => {
            let processed = get("processed") == "true";
            let fault = match get("kind") {
                "drop" => Fault::Drop { processed },
                "answer" => Fault::Answer {
                    status: get("status").parse().unwrap_or(500),
                    code: get("code").parse().unwrap_or_default(),
                    text: get("text").to_owned(),
                    retry_after: get("retry_after").parse().ok(),
                    processed,
                },
                _ => return (400, "{}".to_owned()),
            };
            venue.faults.push_back((get("request").to_owned(), fault));
        }
        _ => return (404, "{}".to_owned()),
    }
    (200, "{}".to_owned())
}

/// Weight of a request, as documented.
fn weight(request: &Request, has: impl Fn(&str) -> bool) -> u32 {
    match (request.method.as_str(), request.path.as_str()) {
        (
            _,
            "/api/v3/exchangeInfo" | "/api/v3/account" | "/api/v3/allOrders" | "/api/v3/myTrades",
        ) => 20,
        ("GET", "/api/v3/order") => 4,
        (_, "/api/v3/openOrders") => {
            if has("symbol") {
                6
            } else {
                80
            }
        }
        (_, "/api/v3/ticker/bookTicker" | "/api/v3/ticker/price") => {
            if has("symbol") {
                2
            } else {
                4
            }
        }
        (_, "/api/v3/avgPrice" | "/api/v3/klines" | "/api/v3/referencePrice") => 2,
        (_, "/api/v3/myFilters") => 40,
        _ => 1,
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each path")]
fn process(
    venue: &mut Venue,
    request: &Request,
    now: i64,
    hidden: u32,
    headers: &mut Vec<(String, String)>,
) -> Result<Value, Refusal> {
    let params = http::params(&request.query, &request.body);
    let get = |name: &str| {
        params
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    };
    let minute = now / 60_000;
    if venue.weight.0 != minute {
        venue.weight = (minute, 0);
        venue.ignored = 0;
    }
    venue.weight.1 += weight(request, |name| get(name).is_some());
    headers.push(("X-MBX-USED-WEIGHT".to_owned(), venue.weight.1.to_string()));
    headers.push((
        "X-MBX-USED-WEIGHT-1M".to_owned(),
        venue.weight.1.to_string(),
    ));
    if venue.weight.1 > venue.weight_limit {
        // Documented: who goes on after 429 is banned for two minutes to three days.
        venue.ignored += 1;
        let banned = venue.ignored > 3;
        let wait = if banned {
            120
        } else {
            (60_000 - now % 60_000) / 1_000 + 1
        };
        headers.push(("Retry-After".to_owned(), wait.to_string()));
        let status = if banned { 418 } else { 429 };
        return Err((status, -1003, "Too much request weight used.".to_owned()));
    }
    match request.path.as_str() {
        "/api/v3/ping" => return Ok(json!({})),
        "/api/v3/time" => return Ok(json!({"serverTime": now})),
        "/api/v3/exchangeInfo" => return exchange_info(venue, now, get("symbol"), get("symbols")),
        "/api/v3/ticker/bookTicker" | "/api/v3/ticker/price" | "/api/v3/avgPrice" => {
            return tickers(venue, &request.path, get("symbol"));
        }
        "/api/v3/klines" => {
            let most = get("limit").and_then(|n| n.parse().ok()).unwrap_or(500);
            return Ok(venue.klines(get("symbol").unwrap_or_default(), most));
        }
        "/api/v3/referencePrice" => {
            let symbol = get("symbol").unwrap_or_default();
            return match venue.filters.references.get(symbol) {
                Some(price) => Ok(json!({
                    "symbol": symbol, "referencePrice": text(*price), "timestamp": now
                })),
                None => refuse(-2043, "This symbol doesn't have a reference price."),
            };
        }
        _ => {}
    }
    check_proof(venue, request, now, &get)?;
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/api/v3/account") => {
            Ok(account(venue, now, get("omitZeroBalances") == Some("true")))
        }
        ("POST", "/api/v3/order/test") => parse_new(&get).map(|_| json!({})),
        ("POST", "/api/v3/order") => {
            let window = now / 10_000;
            if venue.order_count.0 != window {
                venue.order_count = (window, 0);
            }
            if venue.order_count.1 >= venue.order_limit {
                return Err((429, -1015, "Too many new orders.".to_owned()));
            }
            let new = parse_new(&get)?;
            let at = venue.place(new, now, hidden)?;
            venue.order_count.1 += 1;
            headers.push((
                "X-MBX-ORDER-COUNT-10S".to_owned(),
                venue.order_count.1.to_string(),
            ));
            headers.push((
                "X-MBX-ORDER-COUNT-1D".to_owned(),
                venue.orders.len().to_string(),
            ));
            let mut answer = venue.orders[at].json();
            let id = venue.orders[at].id;
            let fills: Vec<Value> = venue
                .trades
                .iter()
                .filter(|t| t.order_id == id)
                .map(super::venue::Trade::brief)
                .collect();
            answer["fills"] = Value::Array(fills);
            Ok(answer)
        }
        ("GET", "/api/v3/order") => {
            let at = find(venue, &get, -2013)?;
            if venue.orders[at].hidden > 0 {
                venue.orders[at].hidden -= 1;
                return refuse(-2013, "Order does not exist.");
            }
            Ok(venue.orders[at].json())
        }
        ("DELETE", "/api/v3/order") => {
            let at = find(venue, &get, -2011)?;
            if !matches!(venue.orders[at].status, "NEW" | "PARTIALLY_FILLED") {
                return refuse(-2011, "Unknown order sent.");
            }
            venue.finish(at, "CANCELED", now);
            let mut answer = venue.orders[at].json();
            answer["origClientOrderId"] = answer["clientOrderId"].clone();
            answer["clientOrderId"] = json!(format!("cancel-{}", venue.orders[at].id));
            Ok(answer)
        }
        ("GET", "/api/v3/openOrders" | "/api/v3/allOrders") => {
            let all = request.path.ends_with("allOrders");
            let symbol = get("symbol");
            let orders = venue.orders.iter().filter(|o| {
                let open = matches!(o.status, "NEW" | "PARTIALLY_FILLED");
                (all || open) && o.hidden == 0 && symbol.is_none_or(|s| s == o.symbol)
            });
            Ok(orders.map(super::venue::Order::json).collect())
        }
        ("GET", "/api/v3/myTrades") => {
            let number = |name: &str| get(name).and_then(|n| n.parse::<i64>().ok());
            let (start, from, order) = (number("startTime"), number("fromId"), number("orderId"));
            let limit = number("limit")
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(500);
            let trades = venue.trades.iter().enumerate().filter(|(at, t)| {
                Some(t.symbol.as_str()) == get("symbol")
                    && start.is_none_or(|ms| t.time >= ms)
                    && from.is_none_or(|id| i64::try_from(*at + 1).is_ok_and(|own| own >= id))
                    && order.is_none_or(|id| i64::try_from(t.order_id) == Ok(id))
            });
            Ok(trades.take(limit).map(|(_, t)| t.json()).collect())
        }
        ("GET", "/api/v3/myFilters") => Ok(venue.own_filters(get("symbol").unwrap_or_default())),
        ("GET", "/api/v3/rateLimit/order") => Ok(json!([
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": venue.order_limit, "count": venue.order_count.1}
        ])),
        _ => Err((404, -1000, "Unknown path.".to_owned())),
    }
}

fn exchange_info(
    venue: &Venue,
    now: i64,
    symbol: Option<&str>,
    symbols: Option<&str>,
) -> Result<Value, Refusal> {
    let mut wanted: Vec<String> = LISTED.iter().map(|listed| listed.0.to_owned()).collect();
    if let Some(symbol) = symbol {
        wanted = vec![symbol.to_owned()];
    } else if let Some(symbols) = symbols {
        wanted = serde_json::from_str(symbols).unwrap_or_default();
    }
    let listings: Option<Vec<Value>> = wanted.iter().map(|symbol| venue.listed(symbol)).collect();
    let Some(listings) = listings else {
        return refuse(-1121, "Invalid symbol.");
    };
    Ok(json!({
        "timezone": "UTC", "serverTime": now,
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": venue.weight_limit},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": venue.order_limit},
            {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200_000},
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61_000}
        ],
        "exchangeFilters": venue.listed_for_all(), "symbols": listings
    }))
}

fn tickers(venue: &Venue, path: &str, symbol: Option<&str>) -> Result<Value, Refusal> {
    let ticker = |(symbol, quote): (&String, &Quote)| {
        if path.ends_with("bookTicker") {
            json!({
                "symbol": symbol, "bidPrice": text(quote.bid.0), "bidQty": text(quote.bid.1),
                "askPrice": text(quote.ask.0), "askQty": text(quote.ask.1)
            })
        } else {
            let (mins, price) = if path.ends_with("avgPrice") {
                let mean = venue.filters.means.get(symbol.as_str()).copied();
                (5, mean.unwrap_or_else(|| quote.bid.0.midpoint(quote.ask.0)))
            } else {
                (0, venue.last(symbol))
            };
            json!({"symbol": symbol, "mins": mins, "price": text(price), "closeTime": 0})
        }
    };
    match symbol {
        None => Ok(venue.quotes.iter().map(ticker).collect()),
        Some(symbol) => match venue.quotes.get_key_value(symbol) {
            Some(entry) => Ok(ticker(entry)),
            None => refuse(-1121, "Invalid symbol."),
        },
    }
}

fn account(venue: &Venue, now: i64, omit_zero: bool) -> Value {
    let shown = venue
        .balances
        .iter()
        .filter(|(_, (free, locked))| !omit_zero || free + locked != 0);
    let balances: Vec<Value> = shown
        .map(|(asset, (free, locked))| json!({"asset": asset, "free": text(*free), "locked": text(*locked)}))
        .collect();
    json!({
        "makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0,
        "commissionRates": {"maker": "0.00100000", "taker": "0.00100000", "buyer": "0.00000000", "seller": "0.00000000"},
        "canTrade": venue.can_trade, "canWithdraw": true, "canDeposit": true, "brokered": false,
        "requireSelfTradePrevention": false, "preventSor": false, "updateTime": now, "accountType": "SPOT",
        "balances": balances, "permissions": ["SPOT"], "uid": 354_937_868
    })
}

/// Key, time and signature.
fn check_proof<'a>(
    venue: &Venue,
    request: &Request,
    now: i64,
    get: &impl Fn(&str) -> Option<&'a str>,
) -> Result<(), Refusal> {
    let Some(key) = request.header("x-mbx-apikey") else {
        return Err((401, -2014, "API-key format invalid.".to_owned()));
    };
    let Some(check) = venue.keys.get(key) else {
        return Err((
            401,
            -2015,
            "Invalid API-key, IP, or permissions for action.".to_owned(),
        ));
    };
    let Some(timestamp) = get("timestamp").and_then(|t| t.parse::<i64>().ok()) else {
        return refuse(-1102, "Mandatory parameter 'timestamp' was not sent.");
    };
    // Seconds and microseconds are told from milliseconds by their size at the venue; milliseconds are taken here.
    let window = get("recvWindow")
        .and_then(|t| t.parse::<f64>().ok())
        .unwrap_or(5_000.0);
    if timestamp >= now + 1_000 {
        return refuse(
            -1021,
            "Timestamp for this request was 1000ms ahead of the server's time.",
        );
    }
    if (now - timestamp) as f64 > window {
        return refuse(
            -1021,
            "Timestamp for this request is outside of the recvWindow.",
        );
    }
    let unsigned = |text: &str| {
        let parts: Vec<&str> = text
            .split('&')
            .filter(|p| !p.starts_with("signature="))
            .collect();
        parts.join("&")
    };
    let payload = unsigned(&request.query) + &unsigned(&request.body);
    let signature = get("signature").unwrap_or_default();
    // Enforced since 2026-01-15: parameters are percent-encoded before they are signed.
    let holds = payload.is_ascii()
        && match check {
            Key::Hmac(secret) => {
                Hmac::<Sha256>::new_from_slice(secret.as_bytes()).is_ok_and(|mut mac| {
                    mac.update(payload.as_bytes());
                    let own: [u8; 32] = mac.finalize().into_bytes().into();
                    let own = own.iter().fold(String::new(), |mut text, byte| {
                        let _ = write!(text, "{byte:02x}");
                        text
                    });
                    own.eq_ignore_ascii_case(signature)
                })
            }
            Key::Ed25519(key) => STANDARD
                .decode(signature)
                .ok()
                .and_then(|bytes| Signature::from_slice(&bytes).ok())
                .is_some_and(|signature| key.verify(payload.as_bytes(), &signature).is_ok()),
        };
    if holds {
        Ok(())
    } else {
        refuse(-1022, "Signature for this request is not valid.")
    }
}

fn parse_new<'a>(get: &impl Fn(&str) -> Option<&'a str>) -> Result<New, Refusal> {
    let need = |name: &str| {
        let missing = (
            400,
            -1102,
            format!("Mandatory parameter '{name}' was not sent."),
        );
        get(name).ok_or(missing)
    };
    let kind = need("type")?.to_owned();
    let limited = kind != "MARKET";
    let client_id =
        get("newClientOrderId").map_or_else(|| format!("auto-{}", wall_ms()), str::to_owned);
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if client_id.is_empty() || client_id.len() > 36 || !client_id.bytes().all(legal) {
        return refuse(
            -1100,
            "Illegal characters found in parameter 'newClientOrderId'.",
        );
    }
    Ok(New {
        client_id,
        symbol: need("symbol")?.to_owned(),
        buys: need("side")? == "BUY",
        tif: if limited {
            need("timeInForce")?.to_owned()
        } else {
            "GTC".to_owned()
        },
        price: if limited { number(need("price")?)? } else { 0 },
        qty: number(need("quantity")?)?,
        kind,
    })
}

/// The place of an order, by the venue's id or ours, newest first.
fn find<'a>(
    venue: &Venue,
    get: &impl Fn(&str) -> Option<&'a str>,
    code: i32,
) -> Result<usize, Refusal> {
    let id = get("orderId").and_then(|id| id.parse::<u64>().ok());
    let ours = get("origClientOrderId");
    let found = venue.orders.iter().rposition(|order| {
        let same = id.map_or(ours == Some(&order.client_id), |id| id == order.id);
        same && get("symbol") == Some(&order.symbol)
    });
    match (found, code) {
        (Some(at), _) => Ok(at),
        (None, -2013) => refuse(-2013, "Order does not exist."),
        (None, _) => refuse(-2011, "Unknown order sent."),
    }
}
