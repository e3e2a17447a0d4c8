// What instrumented code calls where no fuzzer is linked: nothing. In a library, so that a fuzz target's own
// wins.

extern "C" __attribute__((no_sanitize("address", "undefined"))) void __sanitizer_cov_trace_pc() {}
