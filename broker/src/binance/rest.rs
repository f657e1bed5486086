//! Requests: signed, timed, within the venue's limits, and sorted by what is known of their effect.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::blocking::{Client, Response};
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::config::Config;
use super::sign::encode;
use crate::Venue;
use crate::error::{Error, Result};

/// How a request proves who sends it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Anybody may ask.
    None,
    /// Signed.
    Signed,
}

/// A request.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) params: &'a [(&'static str, String)],
    pub(super) proof: Proof,
    /// What it counts against the limit of a minute.
    pub(super) weight: u32,
    /// Whether it places an order, which counts against the limits of orders.
    pub(super) orders: u32,
}

/// Why there is no answer, by what is known of the request's effect.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing left this machine.
    NotSent(Error),
    /// The venue refused it; nothing happened.
    Refused {
        code: i32,
        text: String,
        error: Error,
    },
    /// It may have happened.
    Doubt(Error),
}

impl Failure {
    /// As an error of a question, for which all three mean the same: no answer.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::NotSent(error) | Self::Refused { error, .. } | Self::Doubt(error) => error,
        }
    }

    /// The venue's code, when it refused.
    pub(super) fn code(&self) -> Option<i32> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }
}

/// A limit of the venue, and what was used of it in the interval that was last heard of.
#[derive(Clone, Copy, Debug)]
struct Limit {
    interval_ms: u64,
    most: u32,
    /// The interval by its number since the epoch, and what was used in it.
    used: (u64, u32),
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Weight,
    Orders,
}

/// A rate limit as the venue lists it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RateLimit {
    #[serde(rename = "rateLimitType")]
    kind: String,
    interval: String,
    interval_num: u64,
    limit: u32,
}

#[derive(Deserialize)]
struct ServerTime {
    #[serde(rename = "serverTime")]
    server_time: i64,
}

#[derive(Deserialize)]
struct VenueError {
    code: i32,
    msg: String,
}

pub(super) struct Rest {
    client: Client,
    config: Config,
    /// The venue's clock less ours.
    pub(super) offset_ms: i64,
    limits: Vec<Limit>,
    paused: Option<(Instant, bool)>,
}

impl Rest {
    pub(super) fn new(config: Config) -> Result<Self> {
        // Another part of the program may have chosen already; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        let mut key = HeaderValue::from_str(config.key.expose()).map_err(|_| Error::Config {
            setting: "key",
            detail: "it has characters that can't stand in a header".to_owned(),
        })?;
        key.set_sensitive(true);
        headers.insert("X-MBX-APIKEY", key);
        let loopback = config.endpoint.is_loopback();
        let mut builder = Client::builder()
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .https_only(!loopback)
            .timeout(Duration::from_millis(config.timeout_ms));
        if loopback {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|e| connection(&e.without_url()))?;
        Ok(Self {
            client,
            config,
            offset_ms: 0,
            limits: vec![
                // As documented in 2026; `exchangeInfo` says what holds now.
                Limit::new(Kind::Weight, 60_000, 6_000),
                Limit::new(Kind::Orders, 10_000, 100),
            ],
            paused: None,
        })
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    /// The venue's time in milliseconds, by the offset that was last measured.
    pub(super) fn now_ms(&self) -> i64 {
        wall_ms() + self.offset_ms
    }

    /// Measures the clock's offset: the venue's time was read half way between question and answer.
    pub(super) fn sync(&mut self) -> std::result::Result<i64, Failure> {
        let before = wall_ms();
        let time: ServerTime = self.ask(&Request {
            method: Method::GET,
            path: "/api/v3/time",
            params: &[],
            proof: Proof::None,
            weight: 1,
            orders: 0,
        })?;
        let after = wall_ms();
        self.offset_ms = time.server_time - (before + (after - before) / 2);
        Ok(time.server_time)
    }

    /// Takes the limits that the venue lists.
    pub(super) fn set_limits(&mut self, listed: &[RateLimit]) {
        for rate in listed {
            let kind = match rate.kind.as_str() {
                "REQUEST_WEIGHT" => Kind::Weight,
                "ORDERS" => Kind::Orders,
                _ => continue,
            };
            let unit = match rate.interval.as_str() {
                "SECOND" => 1_000,
                "MINUTE" => 60_000,
                "HOUR" => 3_600_000,
                "DAY" => 86_400_000,
                _ => continue,
            };
            let interval_ms = unit * rate.interval_num;
            let known = |limit: &&mut Limit| limit.kind == kind && limit.interval_ms == interval_ms;
            match self.limits.iter_mut().find(known) {
                Some(limit) => limit.most = rate.limit,
                None => self.limits.push(Limit::new(kind, interval_ms, rate.limit)),
            }
        }
    }

    /// Weight used in this minute, as the venue last said.
    pub(super) fn used_weight(&self) -> u32 {
        let weight = self.limits.iter().find(|limit| limit.kind == Kind::Weight);
        weight.map_or(0, |limit| limit.used(self.now_ms()))
    }

    /// How long to wait before a request may be sent.
    fn pause(&mut self, request: &Request<'_>) -> Option<Error> {
        let paused = |wait: Duration, banned| Error::Paused {
            venue: Venue::Binance,
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) + 1,
            banned,
        };
        if let Some((until, banned)) = self.paused {
            let now = Instant::now();
            if now < until {
                return Some(paused(until - now, banned));
            }
            self.paused = None;
        }
        let now = self.now_ms();
        self.limits.iter().find_map(|limit| {
            let more = match limit.kind {
                Kind::Weight => request.weight,
                Kind::Orders => request.orders,
            };
            let full = more > 0 && limit.used(now).saturating_add(more) > limit.most;
            full.then(|| paused(Duration::from_millis(limit.rest_ms(now)), false))
        })
    }

    /// Asks once, and a second time when our clock was off: such a request was not looked at.
    pub(super) fn ask<T: DeserializeOwned>(
        &mut self,
        request: &Request<'_>,
    ) -> std::result::Result<T, Failure> {
        /// The venue's time differs from the request's by more than the window.
        const CLOCK_OFF: i32 = -1021;
        let first = self.send(request);
        let off = matches!(&first, Err(failure) if failure.code() == Some(CLOCK_OFF));
        let text = if off && request.proof == Proof::Signed {
            self.sync()?;
            self.send(request)?
        } else {
            first?
        };
        serde_json::from_str(&text).map_err(|e| {
            Failure::Doubt(Error::Protocol {
                venue: Venue::Binance,
                what: request.path,
                detail: e.to_string(),
            })
        })
    }

    fn send(&mut self, request: &Request<'_>) -> std::result::Result<String, Failure> {
        if let Some(error) = self.pause(request) {
            return Err(Failure::NotSent(error));
        }
        let url = self.url(request).map_err(Failure::NotSent)?;
        let answer = self.client.request(request.method.clone(), url).send();
        match answer {
            Ok(response) => self.read(request, response),
            Err(error) => {
                // The address holds a signature.
                let error = error.without_url();
                let connects = error.is_connect() && !error.is_timeout();
                let what = self.lost(request, &error);
                Err(if connects {
                    Failure::NotSent(what)
                } else {
                    Failure::Doubt(what)
                })
            }
        }
    }

    fn lost(&self, request: &Request<'_>, error: &reqwest::Error) -> Error {
        if error.is_timeout() {
            return Error::Timeout {
                venue: Venue::Binance,
                what: request.path,
                after_ms: self.config.timeout_ms,
            };
        }
        connection(error)
    }

    fn url(&self, request: &Request<'_>) -> Result<Url> {
        let mut query: Vec<String> = request
            .params
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        if request.proof == Proof::Signed {
            query.push(format!("recvWindow={}", self.config.recv_window_ms));
            query.push(format!("timestamp={}", self.now_ms()));
        }
        let mut payload = query.join("&");
        if request.proof == Proof::Signed {
            let signature = self.config.signer.sign(&payload);
            payload = format!("{payload}&signature={}", encode(&signature));
        }
        let mut url = self.config.endpoint.url(request.path)?;
        url.set_query((!payload.is_empty()).then_some(&payload));
        Ok(url)
    }

    fn read(
        &mut self,
        request: &Request<'_>,
        response: Response,
    ) -> std::result::Result<String, Failure> {
        /// Documented: the outcome of what was asked is not known.
        const UNKNOWN: [i32; 2] = [-1006, -1007];
        let status = response.status();
        self.count(response.headers());
        let wait_s = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let text = match response.text() {
            Ok(text) => text,
            Err(error) => return Err(Failure::Doubt(self.lost(request, &error.without_url()))),
        };
        if status.is_success() {
            return Ok(text);
        }
        let told = serde_json::from_str::<VenueError>(&text).ok();
        let (code, text) = match told {
            Some(told) => (told.code, told.msg),
            None => (i32::from(status.as_u16()), status.to_string()),
        };
        let error = Error::Refused {
            venue: Venue::Binance,
            what: request.path,
            code,
            text: text.clone(),
        };
        if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::IM_A_TEAPOT {
            let banned = status == StatusCode::IM_A_TEAPOT;
            // A ban is two minutes at least; a limit is that of a minute unless it is said.
            let wait = Duration::from_secs(wait_s.unwrap_or(if banned { 120 } else { 60 }));
            self.paused = Some((Instant::now() + wait, banned));
            let error = Error::Paused {
                venue: Venue::Binance,
                wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                banned,
            };
            return Err(Failure::Refused { code, text, error });
        }
        if status.is_server_error() || status.is_redirection() || UNKNOWN.contains(&code) {
            return Err(Failure::Doubt(error));
        }
        Err(Failure::Refused { code, text, error })
    }

    /// Takes what was used of the limits from the headers of an answer.
    fn count(&mut self, headers: &HeaderMap) {
        let now = self.now_ms();
        for limit in &mut self.limits {
            let unit = match limit.interval_ms {
                ms if ms % 86_400_000 == 0 => format!("{}D", ms / 86_400_000),
                ms if ms % 3_600_000 == 0 => format!("{}H", ms / 3_600_000),
                ms if ms % 60_000 == 0 => format!("{}M", ms / 60_000),
                ms => format!("{}S", ms / 1_000),
            };
            let name = match limit.kind {
                Kind::Weight => format!("x-mbx-used-weight-{unit}"),
                Kind::Orders => format!("x-mbx-order-count-{unit}"),
            };
            let value = headers.get(name.to_ascii_lowercase());
            if let Some(used) = value.and_then(|v| v.to_str().ok()?.parse().ok()) {
                limit.used = (limit.number(now), used);
            }
        }
    }
}

impl Limit {
    const fn new(kind: Kind, interval_ms: u64, most: u32) -> Self {
        Self {
            interval_ms,
            most,
            used: (0, 0),
            kind,
        }
    }

    fn number(&self, now_ms: i64) -> u64 {
        now_ms.unsigned_abs() / self.interval_ms
    }

    fn used(&self, now_ms: i64) -> u32 {
        if self.used.0 == self.number(now_ms) {
            self.used.1
        } else {
            0
        }
    }

    fn rest_ms(&self, now_ms: i64) -> u64 {
        self.interval_ms - now_ms.unsigned_abs() % self.interval_ms
    }
}

fn connection(error: &reqwest::Error) -> Error {
    // The causes say more than the error.
    let mut detail = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        detail = format!("{detail}: {inner}");
        cause = inner.source();
    }
    Error::Connection {
        venue: Venue::Binance,
        detail,
    }
}

fn wall_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
