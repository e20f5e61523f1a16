// SPDX-License-Identifier: MIT OR Apache-2.0
//! A collector that takes metrics by the OpenTelemetry protocol, as protobuf over HTTP.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{bail, ensure, Context};
use axum::body::{to_bytes, Body};
use axum::http::{header, Request, StatusCode, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use prost::Message;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Time for all of a request, as the protocol's specification has it.
const TIME: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
const ANSWER: usize = 1 << 20;
/// Where metrics are taken, when the URL does not say.
const PATH: &str = "/v1/metrics";
/// What the bytes are.
const PROTOBUF: &str = "application/x-protobuf";

/// Where a collector listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collector {
    /// Host and port, as the URL has them.
    authority: String,
    host: String,
    port: u16,
    path: String,
}

impl FromStr for Collector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("{error}"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(
                    "https is not spoken; a collector on this machine can go on by it".into(),
                )
            }
            _ => return Err("a URL begins with http://".into()),
        }
        let authority = uri.authority().ok_or("there is no host")?;
        if authority.as_str().contains('@') {
            return Err("a user in the URL is not sent".into());
        }
        let path = match uri.path_and_query().map_or("/", |path| path.as_str()) {
            "/" => PATH,
            path => path,
        };
        Ok(Self {
            authority: authority.as_str().into(),
            // An address of IPv6 stands in brackets.
            host: authority.host().trim_matches(['[', ']']).into(),
            port: authority.port_u16().unwrap_or(80),
            path: path.into(),
        })
    }
}

impl Collector {
    /// Sends what `request` tells.
    ///
    /// # Errors
    ///
    /// The collector does not answer in time, or does not take all.
    pub(crate) async fn send(&self, request: &ExportMetricsServiceRequest) -> anyhow::Result<()> {
        let sent = timeout(TIME, self.send_all(request.encode_to_vec())).await;
        let seconds = TIME.as_secs();
        sent.with_context(|| format!("no answer in {seconds} seconds"))
            .flatten()
            .with_context(|| format!("http://{}{}", self.authority, self.path))
    }

    async fn send_all(&self, bytes: Vec<u8>) -> anyhow::Result<()> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the sender; what goes wrong in it, the request says too.
        tokio::spawn(connection);
        let request = Request::post(&self.path)
            .header(header::HOST, &self.authority)
            .header(header::CONTENT_TYPE, PROTOBUF)
            .header(
                header::USER_AGENT,
                concat!("sislm-client/", env!("CARGO_PKG_VERSION")),
            )
            .body(Body::from(bytes))?;
        let (head, body) = sender.send_request(request).await?.into_parts();
        let answer = to_bytes(Body::new(body), ANSWER).await;
        if head.status != StatusCode::OK {
            bail!("the collector answers {}", head.status);
        }
        let answer = ExportMetricsServiceResponse::decode(answer?)?;
        let refused = answer.partial_success.unwrap_or_default();
        ensure!(
            refused.rejected_data_points == 0,
            "the collector refuses {} points: {}",
            refused.rejected_data_points,
            refused.error_message
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use axum::http::HeaderMap;
    use axum::routing::post;
    use axum::Router;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess;
    use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
    use tokio::net::TcpListener;

    fn some() -> ExportMetricsServiceRequest {
        ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                schema_url: "x".repeat(70_000),
                ..Default::default()
            }],
        }
    }

    /// What is said of the answer that a collector gives.
    async fn sent(status: StatusCode, refused: i64) -> Result<(), String> {
        let take = move |headers: HeaderMap, body: Bytes| async move {
            assert_eq!(headers[header::CONTENT_TYPE], PROTOBUF);
            assert_eq!(ExportMetricsServiceRequest::decode(body).unwrap(), some());
            let answer = ExportMetricsServiceResponse {
                partial_success: Some(ExportMetricsPartialSuccess {
                    rejected_data_points: refused,
                    error_message: "full".into(),
                }),
            };
            (status, answer.encode_to_vec())
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route(PATH, post(take));
        let (mut sending, stream) = {
            let collector: Collector = url.parse().unwrap();
            let sending = tokio::spawn(async move { collector.send(&some()).await });
            (sending, listener.accept().await.unwrap().0)
        };
        let service = hyper_util::service::TowerToHyperService::new(router);
        let serving = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        let said = tokio::select! {
            _ = serving => sending.await,
            said = &mut sending => said,
        };
        said.unwrap().map_err(|error| format!("{error:#}"))
    }

    #[tokio::test]
    async fn a_collector_gets_the_request_and_is_believed() {
        assert_eq!(sent(StatusCode::OK, 0).await, Ok(()));
        let said = sent(StatusCode::OK, 3).await.unwrap_err();
        assert!(said.ends_with("refuses 3 points: full"), "{said}");
        let said = sent(StatusCode::SERVICE_UNAVAILABLE, 0).await.unwrap_err();
        assert!(said.ends_with("answers 503 Service Unavailable"), "{said}");
    }

    #[test]
    fn a_url_says_where() {
        let at = |text: &str| {
            let found: Collector = text.parse()?;
            Ok::<_, String>(format!("{} {} {}", found.host, found.port, found.path))
        };
        assert_eq!(at("http://a:4318").unwrap(), "a 4318 /v1/metrics");
        assert_eq!(at("http://[::1]/").unwrap(), "::1 80 /v1/metrics");
        assert_eq!(
            at("http://a/otlp/v1/metrics?b=1").unwrap(),
            "a 80 /otlp/v1/metrics?b=1"
        );
        for wrong in [
            "a:4318",
            "https://a",
            "ftp://a",
            "http://b@a",
            "http://",
            "",
        ] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }
}
