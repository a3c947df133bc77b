//! Whatever target comes: without an identity only the exact paths that are meant to be open are.
#![no_main]

use guard::fuzzing::is_open;
use libfuzzer_sys::fuzz_target;

const PUBLIC: &str = "/robots.txt";

fuzz_target!(|bytes: &[u8]| {
    let Ok(target) = std::str::from_utf8(bytes) else { return };
    let Ok(uri) = target.parse::<http::Uri>() else { return };
    if is_open(&uri, PUBLIC) {
        let path = uri.path_and_query().map(http::uri::PathAndQuery::as_str);
        let public = path.and_then(|path| path.split('?').next()) == Some(PUBLIC);
        let own = ["/-/health", "/-/access/whoami", "/-/access/logout", "/-/access/emergency"];
        assert!(public || path.is_some_and(|path| own.contains(&path)), "{target}");
    }
});
