-- readable by V0008: nothing else knows this function.

-- Intents share the rows that they were judged by, and who waits for those rows alone may wait for as long as new intents come. Whoever
-- changes them asks for the table first, for which everybody waits in the order of asking; who only reads is not held up.
CREATE FUNCTION take_turn() RETURNS BOOLEAN LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE tenant IN EXCLUSIVE MODE;
    RETURN TRUE;
END
$$;
