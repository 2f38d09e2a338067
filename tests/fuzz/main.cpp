// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz_target.h"

int main(int argc, char** argv) {
  return nerve::fuzz::run_fuzz(argc, argv, nerve::fuzz::fuzz_corpus(), nerve::fuzz::fuzz_one);
}
