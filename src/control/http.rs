//! `/metrics` for Prometheus and `/healthz` for whoever announces routes.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use super::{ControlError, Vitals, metrics};

/// What is sent as the type of the metrics.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The bound HTTP port.
#[derive(Debug)]
pub struct Exporter {
    listener: TcpListener,
    address: SocketAddr,
    vitals: Arc<Vitals>,
}

impl Exporter {
    /// Binds the port.
    pub async fn bind(listen: SocketAddr, vitals: Arc<Vitals>) -> Result<Self, ControlError> {
        let fault = |source| ControlError::Metrics { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        Ok(Self {
            listener,
            address,
            vitals,
        })
    }

    /// Its address with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves for as long as it is polled.
    pub async fn run(self) {
        let router = Router::new()
            .route("/metrics", get(metrics_page))
            .route("/healthz", get(health_page))
            .with_state(self.vitals);
        if let Err(error) = axum::serve(self.listener, router).await {
            tracing::error!(%error, "metrics ended");
        }
    }
}

async fn metrics_page(State(vitals): State<Arc<Vitals>>) -> impl IntoResponse {
    match metrics::render(&vitals) {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, METRICS_TYPE)], text),
        Err(error) => {
            let text = error.to_string();
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                [(header::CONTENT_TYPE, "text/plain")],
                text,
            )
        }
    }
}

async fn health_page(State(vitals): State<Arc<Vitals>>) -> (StatusCode, &'static str) {
    if vitals.is_healthy() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    }
}
