//! Integration tests: the project's own rules, and HTTP against a scripted server on this machine.
