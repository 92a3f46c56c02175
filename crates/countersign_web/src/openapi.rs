//! The OpenAPI 3.1 description, made from the same table as the router.

use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, PathItem,
    PathsBuilder, Ref, RefOr, Required, ResponseBuilder, ResponsesBuilder, Schema,
    SecurityRequirement,
};
use utoipa::{PartialSchema as _, ToSchema};

use crate::problem::{FieldProblem, Problem};
use crate::routes::{Door, Route, Verb};

/// The shape of a body: its name and how to describe it and what it refers to.
#[derive(Clone, Copy)]
pub struct Shape {
    name: fn() -> String,
    schemas: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shape({})", (self.name)())
    }
}

/// The shape of this type.
pub const fn shape<T: ToSchema>() -> Shape {
    Shape {
        name: || T::name().into_owned(),
        schemas: |all| {
            all.push((T::name().into_owned(), T::schema()));
            T::schemas(all);
        },
    }
}

/// What the description says about one route of the API.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// One line.
    pub summary: &'static str,
    /// More, in Markdown.
    pub about: &'static str,
    /// The body it wants.
    pub takes: Option<Shape>,
    /// The body it answers with.
    pub gives: Option<Shape>,
    /// The status it answers with when all is well.
    pub status: u16,
    /// Query parameters and what they mean.
    pub query: &'static [(&'static str, &'static str)],
    /// It honours `Idempotency-Key`.
    pub repeatable: bool,
    /// Its answer is not JSON but this media type.
    pub media: Option<&'static str>,
}

impl Operation {
    /// An operation that answers 200 with this body.
    pub const fn gives(summary: &'static str, gives: Shape) -> Self {
        Self {
            summary,
            about: "",
            takes: None,
            gives: Some(gives),
            status: 200,
            query: &[],
            repeatable: false,
            media: None,
        }
    }

    /// An operation that answers 204.
    pub const fn does(summary: &'static str) -> Self {
        Self {
            summary,
            about: "",
            takes: None,
            gives: None,
            status: 204,
            query: &[],
            repeatable: false,
            media: None,
        }
    }

    /// It wants this body.
    #[must_use]
    pub const fn takes(self, shape: Shape) -> Self {
        Self {
            takes: Some(shape),
            ..self
        }
    }

    /// It says more.
    #[must_use]
    pub const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// It answers with this status.
    #[must_use]
    pub const fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// It honours `Idempotency-Key`.
    #[must_use]
    pub const fn repeatable(self) -> Self {
        Self {
            repeatable: true,
            ..self
        }
    }

    /// It answers with something that has no shape here.
    #[must_use]
    pub const fn media(self, media: &'static str) -> Self {
        Self {
            status: 200,
            media: Some(media),
            ..self
        }
    }

    /// It reads these query parameters.
    #[must_use]
    pub const fn query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }
}

/// The whole description.
pub fn describe(routes: &[Route], origin: &str) -> OpenApi {
    let mut paths = PathsBuilder::new();
    let mut schemas = Vec::new();
    (shape::<Problem>().schemas)(&mut schemas);
    (shape::<FieldProblem>().schemas)(&mut schemas);
    for route in routes {
        let Some(operation) = &route.operation else {
            continue;
        };
        for shape in [operation.takes, operation.gives].into_iter().flatten() {
            (shape.schemas)(&mut schemas);
        }
        paths = paths.path(
            // axum writes a parameter that takes the rest of the path with a star.
            route.path.replace("{*", "{"),
            PathItem::new(method(route.verb), build(route, operation)),
        );
    }
    schemas.sort_by(|left, right| left.0.cmp(&right.0));
    schemas.dedup_by(|left, right| left.0 == right.0);
    let bearer = |about: &str| {
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some(about))
                .build(),
        )
    };
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(
            "machine",
            bearer("A token of the configuration file, `cs_machine_…`."),
        )
        .security_scheme(
            "staff",
            bearer("A staff session, `cs_sess_…`, from a passkey sign-in."),
        )
        .security_scheme(
            "checker",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "webhook-signature",
                "Standard Webhooks: the message is signed with the secret of the checker that was asked, beside `webhook-id` and `webhook-timestamp`.",
            ))),
        )
        .security_scheme(
            "webhook",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "webhook-signature",
                "Standard Webhooks, with the connector's `audit_secret`.",
            ))),
        )
        .security_scheme(
            "seat",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("countersign-seat"))),
        )
        .build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Countersign")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "Support procedures that cannot be skipped. Every refusal is an RFC 9457 problem document with a stable `code`. \
                     Where an operation names the header `Idempotency-Key`, the same key with the same body answers as the first time, with another body it is refused.",
                ))
                .build(),
        )
        .servers(Some([utoipa::openapi::Server::new(origin)]))
        .paths(paths.build())
        .components(Some(components))
        .build()
}

fn build(route: &Route, operation: &Operation) -> utoipa::openapi::path::Operation {
    let mut built = OperationBuilder::new()
        .summary(Some(operation.summary))
        .operation_id(Some(operation_id(route)))
        .tag(
            route
                .path
                .split('/')
                .find(|part| !part.is_empty() && *part != "v1")
                .unwrap_or("gate"),
        );
    if !operation.about.is_empty() {
        built = built.description(Some(operation.about));
    }
    for name in route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    {
        built = built.parameter(parameter(
            name.trim_start_matches('*'),
            ParameterIn::Path,
            Required::True,
            "",
        ));
    }
    for (name, about) in operation.query {
        built = built.parameter(parameter(name, ParameterIn::Query, Required::False, about));
    }
    if operation.repeatable {
        built = built.parameter(parameter(
            "Idempotency-Key",
            ParameterIn::Header,
            Required::False,
            "Up to 255 characters; remembered for a day.",
        ));
    }
    if let Some(shape) = operation.takes {
        let body = RequestBodyBuilder::new()
            .content("application/json", content(shape))
            .required(Some(Required::True))
            .build();
        built = built.request_body(Some(body));
    }
    let mut good = ResponseBuilder::new().description(operation.summary);
    if let Some(shape) = operation.gives {
        good = good.content("application/json", content(shape));
    }
    if let Some(media) = operation.media {
        good = good.content(media, ContentBuilder::new().build());
    }
    let problem = ResponseBuilder::new()
        .description("A problem document")
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build(),
        );
    let responses = ResponsesBuilder::new()
        .response(operation.status.to_string(), good.build())
        .response("default", problem.build())
        .build();
    built = built.responses(responses);
    for scheme in schemes(route.door) {
        built = built.security(SecurityRequirement::new::<_, [&str; 0], &str>(*scheme, []));
    }
    built.build()
}

fn parameter(
    name: &str,
    place: ParameterIn,
    required: Required,
    about: &str,
) -> utoipa::openapi::path::Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(about))
        .schema(Some(String::schema()))
        .build()
}

fn content(shape: Shape) -> utoipa::openapi::Content {
    ContentBuilder::new()
        .schema(Some(Ref::from_schema_name((shape.name)())))
        .build()
}

fn schemes(door: Door) -> &'static [&'static str] {
    match door {
        Door::Anyone => &[],
        Door::Signed => &["webhook"],
        Door::Staff => &["staff"],
        Door::Seat => &["seat"],
        Door::Panel => &["panel"],
        Door::Machine => &["machine"],
        Door::Checker => &["checker"],
        Door::StaffOrMachine => &["staff", "machine"],
    }
}

fn method(verb: Verb) -> HttpMethod {
    match verb {
        Verb::Get => HttpMethod::Get,
        Verb::Post => HttpMethod::Post,
        Verb::Put => HttpMethod::Put,
        Verb::Delete => HttpMethod::Delete,
    }
}

fn operation_id(route: &Route) -> String {
    let path: String = route
        .path
        .trim_start_matches("/v1/")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    format!(
        "{}_{}",
        route.verb.name().to_lowercase(),
        path.trim_matches('_').replace("__", "_")
    )
}
