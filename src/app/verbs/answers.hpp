#pragma once
#include "app/verbs/verbs.hpp"

/// What the server answers, as verbs print it. Where nothing else is said, the exit status is given: 0, or 1 with the
/// server's description of the refusal printed.
namespace postern::app::verbs {

/// Throws when the answer is no JSON.
json::Document parsed(const http::Response& answer);
/// Hands each object of a body with one a line to `each`. Throws when a line is no JSON.
void each_object(std::string_view lines, const std::function<void(const json::Value&)>& each);
/// Asks for a listing page by page, for as long as X-Next-After names another one: the output has no end but the table's.
/// `target`: the path, and the query without `after`. `each` gets the bodies.
int each_page(Door& door, const std::string& target, const std::function<void(const std::string&)>& each);
/// Hands each object of a listing to `print`; with --json prints the pages as they are.
int ask_lines(const Common& common, const std::string& target, const std::function<void(const json::Value&)>& print);
/// Of what is answered without content: prints `done`, with --json nothing.
int ask_done(const Common& common, http::Request request, const std::string& done);

}  // namespace postern::app::verbs
