/// Sees what a client sends: through a tunnel, or as the body of a request.
pub trait ClientWatch: Send {
    /// Called with each piece as it arrives, in order; frames and words may be cut anywhere.
    fn client_sent(&mut self, bytes: &[u8]);

    /// Called when the client said all that it had to say. Not called when it broke off.
    fn client_done(&mut self) {}
}
