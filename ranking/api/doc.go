// Package api serves rankings over HTTP to the back ends of apps:
//
//	GET /v1/rankings                 the boards there are
//	GET /v1/rankings/{board}         one board in one period, for everybody or for one person
//	GET /v1/rankings/openapi.yaml    what this package promises, as OpenAPI 3.1
//
// # Guarantees
//
//   - Every request but that for the document carries a bearer token with the scope rankings:read (package token). One
//     that is bound to a person may not ask for another.
//   - openapi.yaml is what is served: tests hold each response, its status and its fields to the document, and the
//     document to the responses.
//   - An answer is of the tables as they are: standings are kept only while the snapshot they were made from is the
//     newest and no day has ended anywhere since. Each carries an ETag that changes when what it says does.
//   - Errors have one form and one table from code to status. What is ours to mend is logged and not told. No log line
//     holds a person's id: the address of a request, which may, is not logged.
//
// # Decisions
//
// A back end asks on behalf of its people, so its token lets it name any user. An app on a phone must not have one, but
// may have one that is bound to its person.
//
// A parameter that is not known is refused: a misspelt cohort that was ignored would show somebody another ranking than
// the one asked for.
package api
