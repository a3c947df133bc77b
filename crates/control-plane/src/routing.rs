//! Handlers whose own types are forgotten.
//!
//! axum asks of a handler's future that it can be sent between threads, and the compiler proves that anew, for all
//! that the handler awaits, at every place where the handler's type appears. With hundreds of handlers that was most
//! of the time this crate took to build. An erased handler is proven once, and handlers that take and answer the
//! same share one piece of code.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{self, MethodRouter};

use crate::app::App;

type Answering<R> = Pin<Box<dyn Future<Output = R> + Send>>;

/// A handler of which only arguments and answer are known.
pub(crate) struct Erased<A, R>(Arc<dyn Fn(A) -> Answering<R> + Send + Sync>);

/// What can be a handler.
pub(crate) trait Erase<A, R> {
    /// Forgets its type.
    fn erase(self) -> Erased<A, R>;
}

/// Answers `GET` and `HEAD`.
pub(crate) fn get<A, R, M: 'static>(handler: impl Erase<A, R>) -> MethodRouter<App>
where
    Erased<A, R>: Handler<M, App>,
{
    routing::get(handler.erase())
}

/// Answers `POST`.
pub(crate) fn post<A, R, M: 'static>(handler: impl Erase<A, R>) -> MethodRouter<App>
where
    Erased<A, R>: Handler<M, App>,
{
    routing::post(handler.erase())
}

/// Answers `PUT`.
pub(crate) fn put<A, R, M: 'static>(handler: impl Erase<A, R>) -> MethodRouter<App>
where
    Erased<A, R>: Handler<M, App>,
{
    routing::put(handler.erase())
}

/// Answers `DELETE`.
pub(crate) fn delete<A, R, M: 'static>(handler: impl Erase<A, R>) -> MethodRouter<App>
where
    Erased<A, R>: Handler<M, App>,
{
    routing::delete(handler.erase())
}

/// Further methods at one address.
pub(crate) trait AndMore {
    /// Answers `POST` as well.
    fn and_post<A, R, M: 'static>(self, handler: impl Erase<A, R>) -> Self
    where
        Erased<A, R>: Handler<M, App>;

    /// Answers `PUT` as well.
    fn and_put<A, R, M: 'static>(self, handler: impl Erase<A, R>) -> Self
    where
        Erased<A, R>: Handler<M, App>;

    /// Answers `DELETE` as well.
    fn and_delete<A, R, M: 'static>(self, handler: impl Erase<A, R>) -> Self
    where
        Erased<A, R>: Handler<M, App>;
}

impl AndMore for MethodRouter<App> {
    fn and_post<A, R, M: 'static>(self, handler: impl Erase<A, R>) -> Self
    where
        Erased<A, R>: Handler<M, App>,
    {
        self.post(handler.erase())
    }

    fn and_put<A, R, M: 'static>(self, handler: impl Erase<A, R>) -> Self
    where
        Erased<A, R>: Handler<M, App>,
    {
        self.put(handler.erase())
    }

    fn and_delete<A, R, M: 'static>(self, handler: impl Erase<A, R>) -> Self
    where
        Erased<A, R>: Handler<M, App>,
    {
        self.delete(handler.erase())
    }
}

impl<A, R> Clone for Erased<A, R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F, Fut, R> Erase<(), R> for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = R> + Send + 'static,
{
    fn erase(self) -> Erased<(), R> {
        Erased(Arc::new(move |()| Box::pin(self())))
    }
}

impl<R: IntoResponse + 'static> Handler<((),), App> for Erased<(), R> {
    type Future = Answering<Response>;

    fn call(self, _: Request, _: App) -> Self::Future {
        Box::pin(async move { (self.0)(()).await.into_response() })
    }
}

/// Handlers of so many arguments. All but the last are read from the request's head; the last may take its body.
macro_rules! of_arguments {
    ($($part:ident)* ; $last:ident) => {
        impl<F, Fut, R, $($part,)* $last> Erase<($($part,)* $last,), R> for F
        where
            F: Fn($($part,)* $last) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
        {
            #[expect(non_snake_case, reason = "an argument is called like its type")]
            fn erase(self) -> Erased<($($part,)* $last,), R> {
                Erased(Arc::new(move |($($part,)* $last,)| Box::pin(self($($part,)* $last))))
            }
        }

        impl<M, R, $($part,)* $last> Handler<(M, $($part,)* $last,), App> for Erased<($($part,)* $last,), R>
        where
            R: IntoResponse + 'static,
            $($part: FromRequestParts<App> + Send + 'static,)*
            $last: FromRequest<App, M> + Send + 'static,
        {
            type Future = Answering<Response>;

            #[expect(non_snake_case, reason = "an argument is called like its type")]
            fn call(self, request: Request, app: App) -> Self::Future {
                Box::pin(async move {
                    #[allow(unused_mut, reason = "nothing is read from the head where there is one argument")]
                    let (mut head, body) = request.into_parts();
                    $(
                        let $part = match $part::from_request_parts(&mut head, &app).await {
                            Ok(read) => read,
                            Err(refusal) => return refusal.into_response(),
                        };
                    )*
                    let $last = match $last::from_request(Request::from_parts(head, body), &app).await {
                        Ok(read) => read,
                        Err(refusal) => return refusal.into_response(),
                    };
                    (self.0)(($($part,)* $last,)).await.into_response()
                })
            }
        }
    };
}

of_arguments!(; A);
of_arguments!(A; B);
of_arguments!(A B; C);
of_arguments!(A B C; D);
of_arguments!(A B C D; E);
of_arguments!(A B C D E; F1);
of_arguments!(A B C D E F1; G);
