use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode, header};
use bytes::Bytes;
use simulators::cloudflare::{Cloudflare, Visit};
use simulators::railway::{Railway, Route};

use super::companies::BASE;

/// The two edges, and the guards behind them.
#[derive(Clone)]
struct Front {
    cloudflare: Cloudflare,
    railway: Railway,
    /// The main instance, where a wildcard record leads.
    router: SocketAddr,
}

/// Where browsers arrive: at Cloudflare, whatever the hostname. To be used as an HTTP proxy.
pub async fn of_cloudflare(cloudflare: &Cloudflare, railway: &Railway, router: SocketAddr) -> SocketAddr {
    let front = Front { cloudflare: cloudflare.clone(), railway: railway.clone(), router };
    listen(Router::new().fallback(visit).with_state(front)).await
}

/// Where Cloudflare sends what it lets through: at Railway.
pub async fn of_railway(railway: &Railway) -> SocketAddr {
    listen(Router::new().fallback(knock).with_state(railway.clone())).await
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
        Some(target) if target.proxied => guard(&front.railway, &request, assertion.is_some()),
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

async fn knock(State(railway): State<Railway>, request: Request) -> Response<Body> {
    guard(&railway, &request, false)
}

/// Railway finds the instance by its hostname, and its guard answers.
fn guard<B>(railway: &Railway, request: &axum::http::Request<B>, has_assertion: bool) -> Response<Body> {
    answer(match railway.route(host(request)) {
        Route::NotFound => StatusCode::NOT_FOUND,
        Route::BadGateway => StatusCode::BAD_GATEWAY,
        Route::Up(up) if request.uri().path() == "/-/health" => {
            let release = serde_json::json!({ "release": up.variables.get("GUARD_RELEASE") });
            return Response::new(Body::from(release.to_string()));
        }
        Route::Up(_) if request.method() == Method::PUT => StatusCode::NO_CONTENT,
        Route::Up(_) if has_assertion => StatusCode::OK,
        Route::Up(_) => StatusCode::UNAUTHORIZED,
    })
}

fn host<B>(request: &axum::http::Request<B>) -> &str {
    let host = request.headers()[header::HOST].to_str().unwrap();
    host.split(':').next().unwrap()
}

fn answer(status: StatusCode) -> Response<Body> {
    Response::builder().status(status).body(Body::empty()).unwrap()
}
