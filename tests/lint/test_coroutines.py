"""The coroutine lint finds the forms that GCC 12 compiles wrongly, and lets the safe ones be."""
import pytest

# Each sample is the body of a function; the offence must name the line marked //!
BAD = {
    "record": "auto x = co_await f(Rec{a, b});  //!",
    "braces": "co_await f({a, b});  //!",
    "empty_braces": "co_await f({});  //!",
    "designated": "co_await f(Rec{.a = 1});  //!",
    "over_lines": "auto x =\n    co_await f(a,\n               b,\n               Rec{a});  //!",
    "lambda": "co_await run([cert] { return 1; });  //!",
    "lambda_without_captures": "co_await run([] { return 1; });  //!",
    "second_argument": "co_await run(a, [&](int x) { return x; });  //!",
    "returned": "co_return co_await f(Rec{a});  //!",
    "inside_braces": "Rec r{co_await load(), name};  //!",
    "inside_returned_braces": "co_return Rec{co_await load()};  //!",
    "braces_before": "co_await g(f(Rec{a}));  //!",
    "braces_before_in_the_call": "h(Rec{a}, co_await f());  //!",
    "braces_after_in_the_call": "h(co_await f(), Rec{a});  //!",
    "in_a_condition": "if (co_await f({a})) { g(); }  //!",
    "in_a_loop": "for (auto& x : co_await f({a})) { g(x); }  //!",
    "in_init_of_if": "if (auto r = co_await f(Rec{a}); r) { g(); }  //!",
    "after_a_block": "if (a) { g(); }\nco_await f({a});  //!",
    "ternary": "auto x = a ? co_await f() : b;  //!",
    "structured_binding": "auto [a, b] = co_await f();  //!",
    "structured_binding_by_reference": "const auto& [a, b] = co_await f();  //!",
    "inside_a_lambda": "auto l = []() -> Task<void> {\n    co_await f({1});  //!\n};",
    "in_a_macro": "BOOST_TEST(co_await f(Rec{a}));  //!",
    "while_loop": "while (co_await next()) {  //!\n    g();\n}",
    "while_declaration": "while (auto row = co_await next()) {  //!\n    g(*row);\n}",
    "right_of_or": "if (a || co_await f()) {  //!\n    g();\n}",
    "right_of_and": "const bool x = a && co_await f();  //!",
    "third_of_ternary": "auto x = a ? b : co_await f();  //!",
    "after_string": 'co_await f("; // {", Rec{a});  //!',
}

GOOD = {
    "named": "Rec r{a, b};\nco_await f(std::move(r));",
    "named_lambda": "auto l = [cert] { return 1; };\nauto x = co_await run(std::move(l));",
    "operation_first": "auto op = f(Rec{a, b});\nco_await std::move(op);",
    "loop": "for (auto& x : co_await f()) {\n    g(x);\n}",
    "condition_with_init": "if (auto r = co_await f(); r) {\n    g();\n}",
    "condition": "if (!co_await f(a)) {\n    g(Rec{a});\n} else if (co_await g()) {\n    h({});\n}",
    "named_loop": "bool more = co_await next();\nwhile (more) {\n    more = co_await next();\n}",
    "left_of_or": "if (co_await f() || a) {\n    g();\n}",
    "reference": "auto&& x = co_await f();",
    "or_before": "if (a || b) {\n    co_await f();\n}",
    "or_in_a_condition_before": "if (a && b) co_await f();",
    "switch": "switch (co_await f()) {\n    case A: break;\n}",
    "likely": "if (co_await f()) [[likely]] {\n    g();\n}",
    "subscript": "auto x = co_await f(rows[0], list[i][j], g()[1]);",
    "subscript_of_result": "auto x = (co_await f())[0];",
    "subscript_with_nested_end": "auto x = co_await f(a[b[0]]);",
    "returned_record": "auto v = co_await f();\nco_return Rec{v};",
    "block_before": "{\n    Rec r{a};\n}\nco_await f();",
    "block_before_cast": "if (a) { g(Rec{a}); }\n(void)co_await f();",
    "lambda_body": "auto l = []() -> Task<void> {\n    co_await f();\n};",
    "lambda_argument_with_a_body": "spawn(ex, []() -> Task<void> {\n    co_await f(a);\n    co_return;\n});",
    "comment": "co_await f(a /* Rec{a} */);  // {",
    "string": 'co_await f("{", R"x([ { )x", \'{\', u8"[");',
    "digit_separator": "co_await f(1'000, 2'000);\ng({});",
    "for_with_three": "for (auto x = co_await f(); x < 3; ++x) {\n    g(x);\n}",
    "binding_of_a_name": "auto done = co_await f();\nauto& [a, b] = done;",
    "try_block": "try {\n    co_await f();\n} catch (const E& e) {\n    g({});\n}",
    "condition_before": "if (g(Rec{a})) co_await f();",
    "if_constexpr": "if constexpr (x) {\n    co_await f();\n} else {\n    co_return co_await g();\n}",
    "awaiter": "}\nauto operator co_await() const {\n    return A{};",
}


def body(text):
    return "Task<void> subject() {\n" + text + "\n}\n"


@pytest.mark.parametrize("name", BAD)
def test_bad_form_is_found(tree, name):
    text = body(BAD[name])
    line = 1 + text[: text.index("//!")].count("\n")
    offences = tree.add("src/ra/subject.cpp", text).check()
    assert len(offences) == 1, offences
    assert offences[0].startswith(f"src/ra/subject.cpp:{line}: ")
    assert "co_await" in offences[0]


@pytest.mark.parametrize("name", GOOD)
def test_good_form_is_let_be(tree, name):
    assert tree.add("src/ra/subject.cpp", body(GOOD[name])).check() == []


def test_tests_are_linted_too(tree):
    offences = tree.add("tests/unit/ra/a_test.cpp", body("co_await f({});")).check()
    assert len(offences) == 1
