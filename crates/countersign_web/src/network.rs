//! From which network a request comes, and how often it may ask.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use countersign_service::Rate;

use crate::Web;
use crate::problem::Problem;

/// The network a request comes from: an IPv4 address, or the /64 of an IPv6 one, which is what one subscriber has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network(String);

impl FromRequestParts<Web> for Network {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Self::Rejection> {
        web.rates.tidy_now_and_then();
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self::of(
            peer.map(|ConnectInfo(address)| address.ip()),
            &parts.headers,
            &web.trusted_proxies,
        ))
    }
}

impl Network {
    /// All networks as one, for what is limited in all.
    pub fn everybody() -> Self {
        Self("everybody".to_owned())
    }

    /// The peer; or, where the peer is a trusted proxy, the last address in `X-Forwarded-For` that is not one.
    /// What stands left of that was written by the caller and is worth nothing.
    fn of(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let Some(mut address) = peer else {
            // Only where the program was not told: all of these share one count.
            return Self("unknown".to_owned());
        };
        let forwarded: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        for next in forwarded.into_iter().rev() {
            if !trusted.contains(&address.to_canonical()) {
                break;
            }
            let Ok(before) = next.parse() else { break };
            address = before;
        }
        Self(match address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let network = u128::from(address) >> 64 << 64;
                format!("{}/64", Ipv6Addr::from(network))
            }
        })
    }

    /// Takes one from what this network may ask for.
    ///
    /// # Errors
    /// 429 with `Retry-After`.
    pub fn take(&self, rate: &Rate) -> Result<(), Problem> {
        rate.take(&self.0).map_err(|too_many| {
            Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-tries",
                "Too many tries from your network",
            )
            .detail(format!("try again in {} s", too_many.after_seconds))
            .retry_after(too_many.after_seconds)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|one| one.parse().unwrap()).collect();
        Network::of(Some(peer.parse().unwrap()), &headers, &trusted).0
    }

    #[test]
    fn what_the_caller_says_of_itself_is_not_believed() {
        assert_eq!(network("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(
            network("192.0.2.1", &["198.51.100.7"], &["192.0.2.9"]),
            "192.0.2.1"
        );
    }

    #[test]
    fn a_trusted_proxy_tells_who_asked() {
        let proxies = ["192.0.2.1", "192.0.2.2"];
        for (forwarded, expected) in [
            (vec!["198.51.100.7"], "198.51.100.7"),
            (vec!["10.0.0.1, 198.51.100.7"], "198.51.100.7"),
            (vec!["10.0.0.1", "198.51.100.7, 192.0.2.2"], "198.51.100.7"),
            (vec!["nonsense"], "192.0.2.1"),
            (vec![], "192.0.2.1"),
        ] {
            assert_eq!(network("192.0.2.1", &forwarded, &proxies), expected);
        }
        assert_eq!(
            network("::ffff:192.0.2.1", &["198.51.100.7"], &proxies),
            "198.51.100.7"
        );
    }

    #[test]
    fn one_subscriber_is_one_network() {
        assert_eq!(
            network("2001:db8:1:2:3:4:5:6", &[], &[]),
            "2001:db8:1:2::/64"
        );
    }
}
