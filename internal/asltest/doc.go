// Package asltest runs a workflow of AWS Step Functions in a test: the part of the Amazon States Language with JSONPath that
// Standard workflows like Cairn's use, under a virtual clock, so that hours of retries cost nothing. It holds a definition to the
// rules of https://states-language.net/spec.html and to AWS's quotas. What it does not know is an error, never ignored.
//
// Everything in a world of one Clock happens one thing at a time, in an order that depends on nothing but seeds.
package asltest
