// Package token keeps who may call the HTTP API, and for what: bearer tokens with scopes, in the ledger.
//
// # Guarantees
//
//   - A token is shown once, when it is made. The ledger has its SHA-256 and nothing to make it from.
//   - Every request is held against the ledger as it is: who is removed is out with the next request.
//   - A token opens only what its scopes name, and one that is bound to a person opens only what is that person's.
//   - No error holds a token or a person's id.
//
// # Decisions
//
// 2026-11: opaque random tokens instead of signed ones (JWT). The ledger is asked anyway, so a signature would save
// nothing; a token that was leaked can be taken back at once; and there are no keys to look after.
//
// A token is looked up by its hash. How long that takes tells something about stored hashes and nothing about the
// 130 random bits a token is made of, so comparing with every hash in constant time, as one would with passwords that
// people chose, would cost more with each token and protect nothing.
package token
