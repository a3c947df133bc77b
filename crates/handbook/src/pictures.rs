/// Pictures that documents show, by their path in the repository.
const PICTURES: [(&str, &[u8]); 2] = [
    ("docs/screenshots/portal.png", include_bytes!("../../../docs/screenshots/portal.png")),
    ("docs/screenshots/progress.png", include_bytes!("../../../docs/screenshots/progress.png")),
];

/// The PNG at an address below the documentation, such as `screenshots/portal.png`.
pub fn picture(address: &str) -> Option<&'static [u8]> {
    PICTURES.iter().find(|(path, _)| path.strip_prefix("docs/") == Some(address)).map(|(_, bytes)| *bytes)
}

/// Where the site shows a picture of the repository.
pub(crate) fn url_of(path: &str) -> Option<String> {
    let address = path.strip_prefix("docs/")?;
    picture(address).map(|_| crate::url_of(address))
}
