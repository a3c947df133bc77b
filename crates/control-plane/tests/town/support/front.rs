use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode, header};
use bytes::Bytes;
use simulators::cloudflare::{Cloudflare, Visit};
use simulators::railway::{Railway, Route};

use super::companies::BASE;
use super::containers::Containers;

/// The two edges, and the guards behind them.
#[derive(Clone)]
struct Front {
    cloudflare: Cloudflare,
    railway: Railway,
    containers: Containers,
    /// The main instance, where a wildcard record leads.
    router: SocketAddr,
}

/// Where browsers arrive: at Cloudflare, whatever the hostname. To be used as an HTTP proxy.
pub async fn of_cloudflare(
    cloudflare: &Cloudflare,
    (railway, containers): (&Railway, &Containers),
    router: SocketAddr,
) -> SocketAddr {
    let (cloudflare, railway, containers) = (cloudflare.clone(), railway.clone(), containers.clone());
    let front = Front { cloudflare, railway, containers, router };
    listen(Router::new().fallback(visit).with_state(front)).await
}

/// Where Cloudflare sends what it lets through: at Railway.
pub async fn of_railway(railway: &Railway, containers: &Containers) -> SocketAddr {
    listen(Router::new().fallback(knock).with_state((railway.clone(), containers.clone()))).await
}

async fn listen(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

async fn visit(State(front): State<Front>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let request = axum::http::Request::from_parts(parts, Bytes::new());
    if request.uri().path() == "/.well-known/openid-configuration" {
        return of_itself(&request);
    }
    let assertion = match front.cloudflare.visit(&request) {
        Visit::Login(answer) | Visit::Denied(answer) | Visit::Own(answer) => return answer.map(Body::from),
        Visit::Open => None,
        Visit::Pass(pass) => Some(pass.assertion),
    };
    match front.cloudflare.resolve(host(&request)) {
        Some(target) if target.proxied && target.content == BASE => through(front.router, &request).await,
        Some(target) if target.proxied => {
            guard((&front.railway, &front.containers), request.map(Body::from), assertion.is_some()).await
        }
        // As a browser is told of a name that leads nowhere.
        _ => answer(StatusCode::from_u16(530).unwrap()),
    }
}

/// What an identity provider says of itself, whichever is asked.
fn of_itself(request: &axum::http::Request<Bytes>) -> Response<Body> {
    let issuer = format!("http://{}", request.headers()[header::HOST].to_str().unwrap());
    let document = serde_json::json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
    });
    Response::new(Body::from(document.to_string()))
}

/// The way by the router, for whoever brings no assertion.
async fn through(router: SocketAddr, request: &axum::http::Request<Bytes>) -> Response<Body> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = http.get(format!("http://{router}{}", request.uri().path())).header(header::HOST, host(request));
    let answered = asked.send().await.unwrap();
    let status = answered.status();
    Response::builder().status(status).body(Body::from(answered.bytes().await.unwrap())).unwrap()
}

async fn knock(State((railway, containers)): State<(Railway, Containers)>, request: Request) -> Response<Body> {
    guard((&railway, &containers), request, false).await
}

/// Railway finds the instance by its hostname, and its guard answers.
async fn guard(
    (railway, containers): (&Railway, &Containers),
    request: Request,
    has_assertion: bool,
) -> Response<Body> {
    let up = match railway.route(host(&request)) {
        Route::NotFound => return answer(StatusCode::NOT_FOUND),
        Route::BadGateway => return answer(StatusCode::BAD_GATEWAY),
        Route::Up(up) => up,
    };
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    if let Some(answered) = containers.order(&up, request).await {
        return answered;
    }
    answer(match path.as_str() {
        _ if method == Method::PUT => StatusCode::NO_CONTENT,
        _ if containers.rests(&up).await => StatusCode::SERVICE_UNAVAILABLE,
        "/-/health" => {
            let release = serde_json::json!({ "release": up.variables.get("GUARD_RELEASE") });
            return Response::new(Body::from(release.to_string()));
        }
        _ if has_assertion => StatusCode::OK,
        _ => StatusCode::UNAUTHORIZED,
    })
}

fn host<B>(request: &axum::http::Request<B>) -> &str {
    let host = request.headers()[header::HOST].to_str().unwrap();
    host.split(':').next().unwrap()
}

fn answer(status: StatusCode) -> Response<Body> {
    Response::builder().status(status).body(Body::empty()).unwrap()
}
