//! The authorizer of each way to authenticate.

use super::aws::Aws;
use super::oauth1::OAuth1;
use super::oauth2::{renewal_of, OAuth2Source};
use super::post::TokenPost;
use super::renewed::Renewed;
use super::session::{session_renewal, SessionSource};
use super::several::Several;
use super::signed::Signed;
use super::{auth_of, Credentials};
use crate::http::authorizer::Authorizer;
use crate::spec::{AuthSpec, Connection};
use crate::Result;
use std::sync::Arc;

/// Returns what puts a connection's credentials on requests. Fails, naming the option, when one is missing, empty or malformed.
pub fn authorizer_of(connection: &Arc<Connection>, post: TokenPost) -> Result<Box<dyn Authorizer>> {
    let all = connection.credentials();
    if all.len() < 2 {
        return authorizer_of_one(connection, post);
    }
    let one = |(idx, connection): (usize, Connection)| {
        authorizer_of_one(&Arc::new(connection), post.clone()).map_err(|err| err.within(format!("credential {}", idx + 1)))
    };
    Ok(Box::new(Several::new(all.into_iter().enumerate().map(one).collect::<Result<_>>()?)))
}

fn authorizer_of_one(connection: &Arc<Connection>, post: TokenPost) -> Result<Box<dyn Authorizer>> {
    Ok(match auth_of(connection)? {
        AuthSpec::OAuth2(oauth2) => {
            let source = OAuth2Source { connection: Arc::clone(connection), oauth2: Arc::clone(oauth2), post };
            Box::new(Renewed::new(renewal_of(&Arc::new(source))?))
        }
        AuthSpec::Session(session) => Box::new(Renewed::new(session_renewal(SessionSource {
            connection: Arc::clone(connection),
            session: Arc::clone(session),
            post,
        })?)),
        AuthSpec::Jwt(signed) => Box::new(Signed::new(Arc::clone(connection), Arc::clone(signed), post.redactor)?),
        AuthSpec::Aws(aws) => Box::new(Aws::new(Arc::clone(connection), Arc::clone(aws))?),
        AuthSpec::OAuth1(oauth1) => Box::new(OAuth1::new(Arc::clone(connection), Arc::clone(oauth1))?),
        _ => Box::new(Credentials::of(connection)?),
    })
}
