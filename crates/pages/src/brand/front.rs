//! What the front page says of a product.

/// The words of a front page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Front {
    /// One line on top.
    pub headline: String,
    /// One paragraph below it.
    pub lead: String,
    /// What is to be seen beside it.
    pub figure: Option<Figure>,
    /// How it works, in order.
    pub steps: Vec<Point>,
    /// Whom it is for, and what for.
    pub audience: Vec<Point>,
    /// What visitors ask, and what is true.
    pub questions: Vec<Point>,
}

/// A few words, and a paragraph on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The few words.
    pub title: String,
    /// The paragraph.
    pub text: String,
}

/// What the brand's picture shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// In words, for those who don't see it.
    pub alt: String,
    /// A line below it.
    pub caption: String,
}

impl Point {
    fn new(title: &str, text: &str) -> Self {
        Self { title: title.to_owned(), text: text.to_owned() }
    }
}

impl Front {
    /// What is said of the AI-DIY workspace.
    pub(crate) fn of_the_workspace(product: &str) -> Self {
        Self {
            headline: "Say what you need. Get software that works.".to_owned(),
            lead: format!(
                "{product} is a workspace in which a team of AI specialists plans, writes and tests the software that \
                 you describe in your own words. You decide; they do the programming."
            ),
            figure: None,
            steps: vec![
                Point::new(
                    "Describe it",
                    "Say what you wish for as you would tell a colleague. The team asks when something is unclear, and \
                     writes down what was agreed.",
                ),
                Point::new(
                    "Choose what comes first",
                    "You get a list of pieces, each small enough to judge. Put the most useful one on top; nothing is \
                     built that you did not pick.",
                ),
                Point::new(
                    "Try it, then ask for more",
                    "Each piece is written, tested and repaired until its tests pass. It runs at your own address. What \
                     you don't like, you say, and it changes.",
                ),
            ],
            audience: vec![
                Point::new(
                    "Shops and workshops",
                    "Orders, bookings, stock, a price list that counts right: the small tools for which a programmer is \
                     too dear and a spreadsheet too little.",
                ),
                Point::new(
                    "Clubs and schools",
                    "Sign-ups, rotas, lending, results. Everybody who helps can be let in, and let out again.",
                ),
                Point::new(
                    "People with an idea",
                    "Find out with something that runs whether it is any good, before you pay somebody to build it.",
                ),
            ],
            questions: questions_on_the_workspace(),
        }
    }

    /// What can be said of a product that nobody has said anything of.
    pub(crate) fn of_another(product: &str) -> Self {
        Self {
            headline: format!("{product}, with a place of its own for everybody"),
            lead:
                "Sign up and get an instance that nobody else shares: its own process, its own data, its own address."
                    .to_owned(),
            figure: None,
            steps: Vec::new(),
            audience: Vec::new(),
            questions: Vec::new(),
        }
    }
}

fn questions_on_the_workspace() -> Vec<Point> {
    vec![
        Point::new(
            "Do I have to know anything about programming?",
            "No. You talk with a project manager, read stories in plain words, and try what was made. Whoever is \
                     curious finds every file, and the record of every decision.",
        ),
        Point::new(
            "What if it gets something wrong?",
            "Every story says how it is judged, and the tests are written from that. What still fails after \
                     several tries is put before you with the reason, not hidden. You can go back to the work of any \
                     earlier sprint.",
        ),
        Point::new(
            "Whose is it?",
            "Yours: texts, decisions and code. It is plain files and a git repository, which you can download or \
                     push to your own server at any time.",
        ),
        Point::new(
            "Which AI does the work?",
            "Any that speaks the OpenAI protocol: with a key of your own, or with the one that comes with the \
                     workspace where its operator includes one. What you write to the team goes to that service, and to \
                     nobody else.",
        ),
        Point::new(
            "Can I stop?",
            "Any day, on your own page, without writing to anybody. You take everything along, and you see what \
                     was removed afterwards.",
        ),
    ]
}
