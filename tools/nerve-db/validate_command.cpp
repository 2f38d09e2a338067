// SPDX-License-Identifier: Apache-2.0
// nerve-db validate email, validate domain and validate ip
#include "command.h"
#include "context.h"
#include "input_lines.h"
#include "validate_commands.h"
#include "validation_report.h"

#include "nerve/core/json.h"
#include "nerve/validate/domain.h"
#include "nerve/validate/email.h"
#include "nerve/validate/ip.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::cli {

namespace {

constexpr std::size_t value_size_bytes_max = 4096;

/// How one kind of value is read.
struct ValueReader {
  std::string_view operand;          ///< that holds the values
  std::string_view field;            ///< the name of a value in a violation
  std::vector<std::string> results;  ///< what JSON says of a value; null for one that is not valid
  /// These results, "canonical" among them. Throws ValidationError with the violation.
  std::function<Json(std::string_view)> read;
};

void check_value(ValidationReport& report, Output& output, const ValueReader& reader, std::string_view where,
                 const InputLines::Line& value) {
  Json result = {{"input", value.text}};
  for (const std::string& name : reader.results) result[name] = nullptr;
  std::vector<Violation> violations;
  if (!value.is_whole) {
    violations.push_back(
        {std::string(reader.field), "length", fmt::format("is longer than {} bytes", value_size_bytes_max)});
  } else {
    try {
      result.update(reader.read(value.text));
    } catch (const ValidationError& error) {
      violations = error.violations();
    }
  }
  const std::string canonical = violations.empty() ? result["canonical"].get<std::string>() : std::string();
  if (report.add(where, std::move(result), violations)) output.line(canonical);
}

int run_values(Context& context, const Arguments& arguments, const ValueReader& reader) {
  ValidationReport report(context.output(), "values");
  const auto check = [&](std::string_view where, const InputLines::Line& value) {
    check_value(report, context.output(), reader, where, value);
  };
  const std::vector<std::string> values = arguments.texts(reader.operand);
  for (std::size_t i = 0; i < values.size(); ++i)
    check(fmt::format("value {}", i + 1), {values[i], values[i].size() <= value_size_bytes_max});
  if (values.empty()) {
    InputLines lines("-", value_size_bytes_max);
    while (const auto line = lines.next()) check(fmt::format("line {}", lines.number()), *line);
  }
  report.finish();
  return 0;
}

int run_email(Context& context, const Arguments& arguments) {
  const validate::EmailOptions options{.allow_address_literal = arguments.has("--allow-address-literal"),
                                       .allow_utf8_local = arguments.has("--allow-utf8-local")};
  return run_values(context, arguments,
                    {.operand = "ADDRESS",
                     .field = "email",
                     .results = {"canonical"},
                     .read = [options](std::string_view text) -> Json {
                       return {{"canonical", validate::parse_email(text, options).canonical()}};
                     }});
}

int run_domain(Context& context, const Arguments& arguments) {
  const validate::DomainOptions options{.allow_single_label = arguments.has("--allow-single-label")};
  return run_values(context, arguments,
                    {.operand = "NAME",
                     .field = "domain",
                     .results = {"canonical", "unicode"},
                     .read = [options](std::string_view text) -> Json {
                       const validate::Domain domain = validate::parse_domain(text, options);
                       return {{"canonical", domain.ascii}, {"unicode", domain.unicode}};
                     }});
}

/// Whether a network is global is not said: a part of it may be.
Json read_ip(std::string_view text, validate::NetworkOptions options) {
  if (text.find('/') != std::string_view::npos) {
    return {{"canonical", validate::IpNetwork::parse(text, options).to_string()}, {"kind", "network"}};
  }
  const auto address = validate::IpAddress::parse(text);
  const validate::SpecialBlock* block = address.special_block();
  return {{"canonical", address.to_string()},
          {"kind", "address"},
          {"is_global", address.is_global()},
          {"special_block", block == nullptr ? Json() : Json(block->name)}};
}

int run_ip(Context& context, const Arguments& arguments) {
  const validate::NetworkOptions options{.mask_host_bits = arguments.has("--mask-host-bits")};
  return run_values(context, arguments,
                    {.operand = "ADDRESS",
                     .field = "address",
                     .results = {"canonical", "kind", "is_global", "special_block"},
                     .read = [options](std::string_view text) { return read_ip(text, options); }});
}

Argument values_operand(std::string_view name, std::string_view description) {
  return {.name = name, .type = ArgumentType::text, .description = std::string(description), .repeats = true};
}

constexpr std::string_view exit_codes = "2 also when a value is not valid";

}  // namespace

Command validate_command() {
  return {
      .name = "validate",
      .summary = "check values and records by the rules of the library",
      .description =
          "Writes the canonical form of what is valid, and what is wrong with the rest to\n"
          "standard error. docs/validation.md says what is accepted, and why.",
      .commands =
          {{.name = "email",
            .summary = "check e-mail addresses",
            .operands = {values_operand("ADDRESS", "a bare address (default: lines of standard input)")},
            .options = {{.name = "--allow-address-literal",
                         .description = "accept user@[192.0.2.1] and user@[IPv6:2001:db8::1]"},
                        {.name = "--allow-utf8-local",
                         .description = "accept characters before the @ that are not ASCII (RFC 6531)"}},
            .exit_codes = exit_codes,
            .example = "nerve-db validate email Ada@Example.ORG bob@example.net",
            .run = &run_email},
           {.name = "domain",
            .summary = "check domain names of hosts",
            .operands = {values_operand("NAME", "a name (default: lines of standard input)")},
            .options = {{.name = "--allow-single-label", .description = "accept localhost"}},
            .exit_codes = exit_codes,
            .example = "nerve-db validate domain Example.ORG b\xc3\xbc"
                       "cher.example --json",
            .run = &run_domain},
           {.name = "ip",
            .summary = "check IP addresses and networks",
            .operands = {values_operand("ADDRESS",
                                        "an address or a network such as 192.0.2.0/24\n"
                                        "(default: lines of standard input)")},
            .options = {{.name = "--mask-host-bits", .description = "accept 192.0.2.7/24 as 192.0.2.0/24"}},
            .exit_codes = exit_codes,
            .example = "nerve-db validate ip 192.0.2.1 2001:DB8::/32 --json",
            .run = &run_ip},
           validate_record_command()},
      .example = "nerve-db validate email Ada@Example.ORG"};
}

}  // namespace nerve::cli
