#pragma once

namespace postern::app {

class House;

/// Tells a person where everything is and how to use it, and writes the ready file for programs.
void greet(const House& house);

}  // namespace postern::app
