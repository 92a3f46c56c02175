//! stub
use super::world::World;
use axum::Router;
use std::sync::Arc;
pub(crate) fn router(_world: Arc<World>) -> Router {
    Router::new()
}
