//! What answers for all instances: as a guard does towards strangers, with what its instance really is.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode, header};

use super::Host;

/// Stands before it knows for whom.
#[derive(Clone, Default)]
pub struct Guards(Arc<OnceLock<Host>>);

impl Guards {
    pub async fn open(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    pub fn stand_for(&self, host: Host) {
        assert!(self.0.set(host).is_ok(), "they stand for one host");
    }
}

async fn answer(State(guards): State<Guards>, request: Request) -> Response<Body> {
    let status = |status: StatusCode| Response::builder().status(status).body(Body::empty()).unwrap();
    let named = request.headers()[header::HOST].to_str().unwrap();
    let hostname = named.split(':').next().unwrap();
    let Some(told) = guards.0.get().and_then(|host| host.tell(hostname)) else { return status(StatusCode::NOT_FOUND) };
    if request.method() == Method::PUT {
        return status(StatusCode::NO_CONTENT);
    }
    if request.uri().path() != "/-/health" {
        return status(StatusCode::UNAUTHORIZED);
    }
    let body = serde_json::json!({ "release": told.release, "version": told.version });
    let well = if told.is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Response::builder().status(well).body(Body::from(body.to_string())).unwrap()
}
