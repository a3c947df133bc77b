//! A model that the operator offers: from the workspace in its walls, through its guard and the main instance, to a
//! provider, without a secret or a network in the workspace.

use simulators::model::{ModelProvider, Scene};

use crate::support::server::Server;

const ADA: &str = "ada@example.com";
const KEY: &str = "sk-the-operators-own";

#[tokio::test]
async fn a_workspace_uses_the_model_that_is_offered_until_its_allowance_ends() {
    let says = Scene::Says(vec!["Hello", " Ada"], Some((400_000, 599_950)));
    let provider = ModelProvider::playing([says]).await.unwrap();
    let offer = format!(
        "[model]\nprovider_url = {:?}\nkey = {KEY:?}\nallowance = 1\n\
         [[model.models]]\nname = \"small\"\ninput = 1\noutput = 1\n",
        provider.url
    );
    let server = Server::with().compute(&offer).start().await;
    server.provision(ADA, "acme");
    let ada = server.sign_in("acme", ADA).await;
    let tries = async || ada.post(&server, "/settings/trial").send().await.unwrap().text().await.unwrap();
    let page = tries().await;
    assert!(page.contains("It works. The model answered “Hello Ada” (999950 tokens)."), "{page}");
    let asked = provider.asked().pop().unwrap();
    assert!(asked.head.contains(&format!("authorization: Bearer {KEY}")) && asked.body["model"] == "small");

    let page = tries().await;
    assert!(page.contains("The included AI of this month is used up ($1.00 of $1.00)"), "{page}");
    assert_eq!(provider.asked().len(), 1, "nothing more was asked");
    let usage = server.cli(&["model", "usage", "--json"]).ok().json();
    assert_eq!((&usage["used_micros"], &usage["instances"][0]["calls"]), (&999_950.into(), &1.into()), "{usage}");
    let shown = server.cli(&["model", "usage"]).ok().out;
    assert!(shown.contains("$0.99995") && shown.contains("ai-diy-acme"), "{shown}");
    assert!(!server.output().contains(KEY), "the key is in the log");
}

#[tokio::test]
async fn a_rehearsal_is_played_in_every_workspace_where_the_operator_says_so() {
    let server = Server::with().compute("[model]\nrehearsal = true").start().await;
    server.provision(ADA, "acme");
    let ada = server.sign_in("acme", ADA).await;
    let page = ada.text(&server, "/settings").await;
    assert!(page.contains("In this rehearsal none is asked."), "{page}");
}
