#include "core/crypto/argon2.hpp"

#include <boost/test/unit_test.hpp>

#include "core/crypto/system_random.hpp"

BOOST_AUTO_TEST_SUITE(argon2)

using namespace postern;

BOOST_AUTO_TEST_CASE(a_secret_matches_its_own_hash_alone) {
    crypto::SystemRandom random;
    const auto hash = crypto::argon2id("Correct-horse:42", random);
    BOOST_TEST(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    BOOST_TEST(hash.find("Correct") == hash.npos);
    BOOST_TEST(crypto::argon2id_matches(hash, "Correct-horse:42"));
    for (const auto* wrong : {"", "Correct-horse:4", "correct-horse:42", "Correct-horse:42 "}) BOOST_TEST(!crypto::argon2id_matches(hash, wrong), wrong);
    BOOST_TEST(crypto::argon2id("Correct-horse:42", random) != hash);  // salted
}

BOOST_AUTO_TEST_CASE(what_is_no_hash_of_ours_matches_nothing) {
    for (const auto* text : {"", "secret", "$argon2id$v=19$m=19456,t=2,p=1$", "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAA",
                             "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAA"})
        BOOST_TEST(!crypto::argon2id_matches(text, "secret"), text);
}

BOOST_AUTO_TEST_SUITE_END()
