//! Ways to authenticate, as a spec describes them.

use super::{OptionSpec, SessionSpec, Template, TOKEN_HOLE};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A way to authenticate. Names in the variants are names of connection options.
#[derive(Debug, Clone, PartialEq)]
pub enum AuthSpec {
    None,
    Basic {
        username: OptionSpec,
        password: OptionSpec,
    },
    Bearer {
        token: OptionSpec,
        /// What stands before the token.
        prefix: String,
    },
    /// Headers.
    Headers(AuthFields),
    /// Query parameters.
    Params(AuthFields),
    /// Access tokens that an authorization server gives (RFC 6749).
    OAuth2(Arc<OAuth2Spec>),
    /// Tokens that the connection signs itself (RFC 7519).
    Jwt(Arc<SignedSpec>),
    /// A session that a login begins.
    Session(Arc<SessionSpec>),
    /// Requests signed by Signature Version 4 of Amazon.
    Aws(Arc<AwsSpec>),
    /// Requests signed by OAuth 1.0 (RFC 5849).
    OAuth1(Arc<OAuth1Spec>),
}

/// Whose requests are signed for which service.
#[derive(Debug, Clone, PartialEq)]
pub struct AwsSpec {
    pub access_key: OptionSpec,
    pub secret_key: OptionSpec,
    pub session_token: OptionSpec,
    pub region: Template,
    pub service: Template,
    /// Options that only holes name.
    pub more: Vec<OptionSpec>,
}

/// How requests are signed by OAuth 1.0.
#[derive(Debug, Clone, PartialEq)]
pub struct OAuth1Spec {
    /// Whether by HMAC-SHA256, and not by HMAC-SHA1.
    pub is_sha256: bool,
    pub realm: Option<Template>,
    pub consumer_key: OptionSpec,
    pub consumer_secret: OptionSpec,
    pub token: OptionSpec,
    pub token_secret: OptionSpec,
    /// Options that only holes name.
    pub more: Vec<OptionSpec>,
}

/// A token that is signed here, and how it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedSpec {
    pub jwt: JwtSpec,
    /// The headers of each request; their holes are options and `token.access_token`.
    pub headers: Vec<(String, Template)>,
    /// Options that only holes name.
    pub more: Vec<OptionSpec>,
}

/// A signed token.
#[derive(Debug, Clone, PartialEq)]
pub struct JwtSpec {
    pub algorithm: JwtAlgorithm,
    /// The option with the key: PEM, the file of a Google service account, or the path of either; for HS256 the secret itself.
    pub key: OptionSpec,
    /// What the token says, besides when it was made and when it ends; holes are options, and `key.X` of a service account's file.
    pub claims: Vec<(String, Template)>,
    /// What the header says about the key.
    pub key_id: Option<Template>,
    /// How long the token lasts.
    pub life: Duration,
}

impl JwtSpec {
    fn templates(&self) -> impl Iterator<Item = &Template> {
        self.claims.iter().map(|(_, value)| value).chain(&self.key_id)
    }
}

/// How a token is signed (RFC 7518).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    Rs256,
    Ps256,
    Es256,
    Hs256,
}

impl JwtAlgorithm {
    /// The names of the algorithms.
    pub const NAMES: &'static [&'static str] = &["RS256", "PS256", "ES256", "HS256"];

    /// Returns the algorithm of that name.
    pub fn of_name(name: &str) -> Option<JwtAlgorithm> {
        let all = [JwtAlgorithm::Rs256, JwtAlgorithm::Ps256, JwtAlgorithm::Es256, JwtAlgorithm::Hs256];
        all.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Returns the name.
    pub fn name(self) -> &'static str {
        match self {
            JwtAlgorithm::Rs256 => "RS256",
            JwtAlgorithm::Ps256 => "PS256",
            JwtAlgorithm::Es256 => "ES256",
            JwtAlgorithm::Hs256 => "HS256",
        }
    }
}

/// Headers or query parameters that carry credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthFields {
    /// Names and values, whose holes are options.
    pub fields: Vec<(String, Template)>,
    /// The options that are for these alone.
    pub options: Vec<OptionSpec>,
}

impl AuthFields {
    /// Makes fields of which each is an option.
    pub fn of_options(pairs: Vec<(String, OptionSpec)>) -> AuthFields {
        let fields = pairs.iter().map(|(name, option)| (name.clone(), Template::of_hole(&option.name))).collect();
        AuthFields { fields, options: pairs.into_iter().map(|(_, option)| option).collect() }
    }
}

/// How access tokens are asked for, and how they are sent.
#[derive(Debug, Clone, PartialEq)]
pub struct OAuth2Spec {
    pub grant: Grant,
    /// Where tokens are asked for; its holes are options.
    pub token_url: Template,
    /// Who asks; `None` where what is asked with says so.
    pub client: Option<ClientSpec>,
    /// The scopes asked for, as they are sent.
    pub scopes: Option<Template>,
    /// What else is sent to `token_url`.
    pub token_params: Vec<(String, Template)>,
    pub token_format: TokenFormat,
    /// The headers of each request; their holes are options and `token.X`.
    pub headers: Vec<(String, Template)>,
    /// Options that only holes name.
    pub more: Vec<OptionSpec>,
}

/// What an access token is given for.
#[derive(Debug, Clone, PartialEq)]
pub enum Grant {
    ClientCredentials,
    RefreshToken {
        refresh_token: OptionSpec,
    },
    Password {
        username: OptionSpec,
        password: OptionSpec,
    },
    /// The consent of somebody at a browser on this machine (RFC 6749, section 4.1, and RFC 7636).
    AuthorizationCode(ConsentSpec),
    /// The consent of somebody at any browser (RFC 8628).
    DeviceCode {
        device_url: Template,
    },
    /// A signed token (RFC 7523).
    Jwt(JwtSpec),
    /// A signed token, which is sent as requests send their credentials.
    JwtExchange(JwtSpec),
}

/// Where somebody consents.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsentSpec {
    pub authorize_url: Template,
    /// What else is in the address.
    pub params: Vec<(String, Template)>,
    /// Where the browser is led afterwards.
    pub redirect_uri: Url,
}

impl Grant {
    /// The names of the grants as specs write them.
    pub const NAMES: &'static [&'static str] = &["client_credentials", "refresh_token", "password", "authorization_code", "device_code"];

    /// Returns the grant's name, which is also its `grant_type`.
    pub fn name(&self) -> &'static str {
        match self {
            Grant::ClientCredentials => "client_credentials",
            Grant::RefreshToken { .. } => "refresh_token",
            Grant::Password { .. } => "password",
            Grant::AuthorizationCode(_) => "authorization_code",
            Grant::DeviceCode { .. } => "urn:ietf:params:oauth:grant-type:device_code",
            Grant::Jwt(_) | Grant::JwtExchange(_) => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }

    /// Returns whether somebody has to consent before there is a token.
    pub fn needs_consent(&self) -> bool {
        matches!(self, Grant::AuthorizationCode(_) | Grant::DeviceCode { .. })
    }

    fn templates(&self) -> Vec<&Template> {
        match self {
            Grant::AuthorizationCode(consent) => consent.params.iter().map(|(_, value)| value).chain([&consent.authorize_url]).collect(),
            Grant::DeviceCode { device_url } => vec![device_url],
            _ => Vec::new(),
        }
    }

    /// Returns the options that only this grant needs.
    pub fn options(&self) -> Vec<&OptionSpec> {
        match self {
            Grant::ClientCredentials | Grant::AuthorizationCode(_) | Grant::DeviceCode { .. } => Vec::new(),
            Grant::RefreshToken { refresh_token } => vec![refresh_token],
            Grant::Password { username, password } => vec![username, password],
            Grant::Jwt(jwt) | Grant::JwtExchange(jwt) => vec![&jwt.key],
        }
    }
}

/// Who asks for tokens, and how that is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientSpec {
    pub id: OptionSpec,
    pub proof: ClientProof,
}

/// How the client shows that it is itself.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientProof {
    /// A public client: it sends its id alone.
    None,
    /// Id and secret as HTTP basic authentication.
    Basic { secret: OptionSpec },
    /// Id and secret among the params.
    Body { secret: OptionSpec },
    /// A token that the client signed (RFC 7523, section 2.2).
    Assertion(JwtSpec),
}

impl ClientSpec {
    /// Returns the client's options.
    pub fn options(&self) -> Vec<&OptionSpec> {
        match &self.proof {
            ClientProof::None => vec![&self.id],
            ClientProof::Basic { secret } | ClientProof::Body { secret } => vec![&self.id, secret],
            ClientProof::Assertion(jwt) => vec![&self.id, &jwt.key],
        }
    }
}

/// How params are sent to a token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFormat {
    Form,
    Json,
}

impl OAuth2Spec {
    /// Returns the options a connection supplies.
    pub fn options(&self) -> Vec<&OptionSpec> {
        self.client.iter().flat_map(ClientSpec::options).chain(self.grant.options()).chain(&self.more).collect()
    }

    /// Returns the token that is signed to ask with, if there is one.
    pub fn jwt(&self) -> Option<&JwtSpec> {
        match (&self.grant, &self.client) {
            (Grant::Jwt(jwt) | Grant::JwtExchange(jwt), _) => Some(jwt),
            (_, Some(ClientSpec { proof: ClientProof::Assertion(jwt), .. })) => Some(jwt),
            _ => None,
        }
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let pairs = self.token_params.iter().chain(&self.headers).map(|(_, value)| value);
        pairs
            .chain(&self.scopes)
            .chain([&self.token_url])
            .chain(self.jwt().into_iter().flat_map(JwtSpec::templates))
            .chain(self.grant.templates())
    }

    /// Returns whether a refresh token that came with an access token gives the next one.
    pub fn uses_refresh_tokens(&self) -> bool {
        matches!(self.grant, Grant::RefreshToken { .. } | Grant::Password { .. }) || self.grant.needs_consent()
    }

    /// Returns the values of a token answer that requests cannot do without.
    pub fn needed_values(&self) -> Vec<&str> {
        self.headers.iter().flat_map(|(_, value)| value.names()).filter_map(|hole| hole.strip_prefix(TOKEN_HOLE)).collect()
    }
}

impl AuthSpec {
    /// Returns the options a connection supplies for this way to authenticate.
    pub fn options(&self) -> Vec<&OptionSpec> {
        match self {
            AuthSpec::None => Vec::new(),
            AuthSpec::Basic { username, password } => vec![username, password],
            AuthSpec::Bearer { token, .. } => vec![token],
            AuthSpec::Headers(fields) | AuthSpec::Params(fields) => fields.options.iter().collect(),
            AuthSpec::OAuth2(oauth2) => oauth2.options(),
            AuthSpec::Jwt(signed) => std::iter::once(&signed.jwt.key).chain(&signed.more).collect(),
            AuthSpec::Session(session) => session.options.iter().collect(),
            AuthSpec::Aws(aws) => [&aws.access_key, &aws.secret_key, &aws.session_token].into_iter().chain(&aws.more).collect(),
            AuthSpec::OAuth1(oauth1) => {
                let own = [&oauth1.consumer_key, &oauth1.consumer_secret, &oauth1.token, &oauth1.token_secret];
                own.into_iter().chain(&oauth1.more).collect()
            }
        }
    }

    /// Returns the name of the type as specs write it.
    pub fn type_name(&self) -> &'static str {
        match self {
            AuthSpec::None => "NONE",
            AuthSpec::Basic { .. } => "BASIC",
            AuthSpec::Bearer { .. } => "BEARER",
            AuthSpec::Headers(_) => "HEADERS",
            AuthSpec::Params(_) => "PARAMS",
            AuthSpec::OAuth2(oauth2) if oauth2.jwt().is_some() => "JWT",
            AuthSpec::OAuth2(_) => "OAUTH2",
            AuthSpec::Jwt(_) => "JWT",
            AuthSpec::Session(_) => "SESSION",
            AuthSpec::Aws(_) => "AWS4Auth",
            AuthSpec::OAuth1(_) => "OAUTH1",
        }
    }

    /// Returns its texts with holes.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            AuthSpec::OAuth2(oauth2) => oauth2.templates().collect(),
            AuthSpec::Jwt(signed) => signed.headers.iter().map(|(_, value)| value).chain(signed.jwt.templates()).collect(),
            AuthSpec::Headers(fields) | AuthSpec::Params(fields) => fields.fields.iter().map(|(_, value)| value).collect(),
            AuthSpec::Session(session) => session.templates().collect(),
            AuthSpec::Aws(aws) => vec![&aws.region, &aws.service],
            AuthSpec::OAuth1(oauth1) => oauth1.realm.iter().collect(),
            AuthSpec::None | AuthSpec::Basic { .. } | AuthSpec::Bearer { .. } => Vec::new(),
        }
    }

    /// Returns whether a server gives what is sent, so that `token.X` has values.
    pub fn has_tokens(&self) -> bool {
        matches!(self, AuthSpec::OAuth2(_) | AuthSpec::Jwt(_) | AuthSpec::Session(_))
    }

    /// Returns whether credentials are sent in a header of that name.
    pub fn sends_header(&self, header: &str) -> bool {
        let is_it = |name: &String| name.eq_ignore_ascii_case(header);
        match self {
            AuthSpec::None | AuthSpec::Params(_) => false,
            AuthSpec::Basic { .. } | AuthSpec::Bearer { .. } => header.eq_ignore_ascii_case("authorization"),
            AuthSpec::Headers(headers) => headers.fields.iter().any(|(name, _)| is_it(name)),
            AuthSpec::OAuth2(oauth2) => oauth2.headers.iter().any(|(name, _)| is_it(name)),
            AuthSpec::Jwt(signed) => signed.headers.iter().any(|(name, _)| is_it(name)),
            AuthSpec::Session(session) => session.headers.iter().any(|(name, _)| is_it(name)),
            AuthSpec::Aws(_) | AuthSpec::OAuth1(_) => header.eq_ignore_ascii_case("authorization"),
        }
    }
}
