//! Everything outside, where that is not the network: what the simulator stands in for.
//!
//! A gate that is started with [`Outside`] signs, bounds and reads every request
//! as always and opens no connection: the request is handed to whoever plays
//! the company's backends, its mail server and its text gateway. That is what
//! lets one seed replay a whole company exactly.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use reqwest::Client;

use super::delivery::Delivery;

/// Plays the world outside.
pub trait Outside: Send + Sync + fmt::Debug {
    /// One request, and what came of it.
    fn request(&self, request: OutsideRequest) -> BoxFuture<'_, OutsideReply>;

    /// One letter, and what came of handing it over.
    fn mail(&self, mail: OutsideMail) -> BoxFuture<'_, Delivery>;
}

/// A request as it would have left, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// Where to.
    pub url: String,
    /// `webhook-id`
    pub id: String,
    /// `webhook-timestamp`
    pub timestamp: String,
    /// `webhook-signature`
    pub signature: String,
    /// JSON, or empty.
    pub body: Vec<u8>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutsideReply {
    /// Nothing left: no connection.
    NotSent,
    /// It may have arrived, and no answer came back.
    NoAnswer,
    /// An answer.
    Answer {
        /// HTTP status, 100 to 999.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
}

/// A letter as it would have been handed to the mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct OutsideMail {
    /// Address.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Text.
    pub text: String,
    /// The same key and address are the same letter, however often it is sent.
    pub key: String,
}

impl fmt::Debug for OutsideMail {
    /// Says neither to whom nor what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutsideMail")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// How requests leave: over the network, or to somebody who plays it.
#[derive(Debug, Clone)]
pub enum Wire {
    /// Over the network.
    Network(Client),
    /// To whoever plays it.
    Played(Arc<dyn Outside>),
}

impl From<Client> for Wire {
    fn from(client: Client) -> Self {
        Self::Network(client)
    }
}
