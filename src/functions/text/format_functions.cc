/// FORMAT/PRINTF. The format is a constant, taken apart at binding, so that each argument is cast to what its
/// place wants.

#include <fmt/format.h>
#include <fmt/printf.h>

#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_text.h"
#include "functions/text/pieces.h"
#include "functions/text/utf8.h"

namespace laminar {
namespace {

/// One `%…` of the format and the plain text in front of it. A part without conversion is the text at the
/// end.
struct FormatPart {
  std::string literal;
  char conversion = 0;     // s d x X o c f e E g G; 0: none
  std::string directive;   // the whole `%…`, for numbers
  bool left = false;       // for s: padding behind
  int64_t width = 0;       // for s, in code points
  int64_t precision = -1;  // for s: code points at most; −1: all
};
constexpr int64_t kWidthMax = 10000;

[[noreturn]] void FailFormat(std::string message) {
  throw UserError(Reason::kTypeError, {}, "format: " + std::move(message));
}

/// Reads a number of at most kWidthMax at `*at`, 0 when there is none.
int64_t ReadNumber(std::string_view format, size_t* at) {
  int64_t value = 0;
  while (*at < format.size() && format[*at] >= '0' && format[*at] <= '9') {
    value = value * 10 + (format[(*at)++] - '0');
    if (value > kWidthMax) FailFormat(fmt::format("a width above {}", kWidthMax));
  }
  return value;
}

/// `*at` is behind the `%`; on return behind the directive.
void ReadDirective(std::string_view format, size_t* at, FormatPart* part) {
  const size_t start = *at;
  while (*at < format.size() && std::string_view("-+ #0").find(format[*at]) != std::string_view::npos) {
    part->left |= format[(*at)++] == '-';
  }
  part->width = ReadNumber(format, at);
  if (*at < format.size() && format[*at] == '.') {
    ++*at;
    part->precision = ReadNumber(format, at);
  }
  if (*at >= format.size() || std::string_view("sdixXocfeEgG").find(format[*at]) == std::string_view::npos) {
    FailFormat(fmt::format("unknown directive '%{}'; there are %s %d %x %X %o %c %f %e %E %g %G and %%",
                           format.substr(start, *at + 1 - start)));
  }
  part->conversion = format[*at] == 'i' ? 'd' : format[*at];
  part->directive = "%" + std::string(format.substr(start, *at - start)) + part->conversion;
  ++*at;
}

std::vector<FormatPart> ParseFormat(std::string_view format) {
  std::vector<FormatPart> parts(1);
  for (size_t at = 0; at < format.size();) {
    const char c = format[at++];
    if (c != '%') {
      parts.back().literal.push_back(c);
    } else if (at < format.size() && format[at] == '%') {
      parts.back().literal.push_back(format[at++]);
    } else {
      ReadDirective(format, &at, &parts.back());
      parts.emplace_back();
    }
  }
  return parts;
}

Type ArgumentType(char conversion) {
  switch (conversion) {
    case 's':
      return Type::Text();
    case 'f':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
      return Type::Double();
    default:
      return Type::Int64();
  }
}

void AppendText(const FormatPart& part, std::string_view text, TextWriter& out) {
  if (part.precision >= 0) text = Left(text, part.precision);
  const int64_t padding = part.width - (part.width > 0 ? CodePointCount(text) : 0);
  if (!part.left && padding > 0) out.AppendRepeated(' ', static_cast<size_t>(padding));
  out.Append(text);
  if (part.left && padding > 0) out.AppendRepeated(' ', static_cast<size_t>(padding));
}

void AppendInteger(const FormatPart& part, int64_t value, TextWriter& out) {
  if (part.conversion != 'c') {
    out.Append(fmt::sprintf(part.directive, value));
  } else if (value != 0 && IsCodePoint(value)) {
    out.AppendCodePoint(static_cast<uint32_t>(value));
  }
}

using AnyReader = std::variant<ColumnReader<std::string_view>, ColumnReader<int64_t>, ColumnReader<double>>;

std::vector<AnyReader> Readers(const std::vector<FormatPart>& parts, const ScalarCall& call) {
  std::vector<AnyReader> readers;
  for (size_t i = 1; i < call.args.size(); ++i) {
    switch (ArgumentType(parts[i - 1].conversion).id()) {
      case TypeId::kText:
        readers.emplace_back(ColumnReader<std::string_view>(call.args[i]));
        break;
      case TypeId::kDouble:
        readers.emplace_back(ColumnReader<double>(call.args[i]));
        break;
      default:
        readers.emplace_back(ColumnReader<int64_t>(call.args[i]));
        break;
    }
  }
  return readers;
}

void AppendRow(const std::vector<FormatPart>& parts, const std::vector<AnyReader>& readers, int64_t row,
               TextWriter& out) {
  for (size_t i = 0; i < parts.size(); ++i) {
    out.Append(parts[i].literal);
    if (i >= readers.size()) continue;
    if (const auto* texts = std::get_if<0>(&readers[i])) AppendText(parts[i], (*texts)[row], out);
    if (const auto* integers = std::get_if<1>(&readers[i])) AppendInteger(parts[i], (*integers)[row], out);
    if (const auto* doubles = std::get_if<2>(&readers[i]))
      out.Append(fmt::sprintf(parts[i].directive, (*doubles)[row]));
  }
}

arrow::Result<arrow::Datum> FormatRows(const std::vector<FormatPart>& parts, const ScalarCall& call) {
  const CallShape shape = ShapeOf(call);
  if (shape.all_null) return NullDatum(arrow::utf8());
  const auto readers = Readers(parts, call);
  TextWriter writer(shape.rows, shape.rows * 32);
  for (int64_t row = 0; row < shape.rows; ++row) {
    if (shape.IsValid(row)) AppendRow(parts, readers, row, writer);
    writer.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, arrow::utf8(), shape.valid, std::move(buffers));
}

std::optional<BoundScalar> BindFormat(const BindArguments& arguments) {
  if (arguments.size() == 0 || !Accepts({Type::Text()}, {arguments.types[0]})) return std::nullopt;
  const auto format = ConstantText(arguments, 0);
  if (!format) FailFormat("the format must be a constant text");
  auto parts = std::make_shared<const std::vector<FormatPart>>(ParseFormat(*format));
  if (parts->size() != arguments.size()) {
    FailFormat(
        fmt::format("'{}' takes {} values, {} given", *format, parts->size() - 1, arguments.size() - 1));
  }
  BoundScalar bound{{Type::Text()}, Type::Text(), nullptr, false};
  for (size_t i = 1; i < arguments.size(); ++i) {
    const char conversion = (*parts)[i - 1].conversion;
    if (conversion != 's' && !arguments.types[i].is_numeric() && !arguments.types[i].is_null()) {
      FailFormat(fmt::format("%{} takes a number, not {}", conversion, arguments.types[i].ToString()));
    }
    bound.parameters.push_back(ArgumentType(conversion));
  }
  bound.kernel = [parts](const ScalarCall& call) { return FormatRows(*parts, call); };
  return bound;
}

}  // namespace

void RegisterFormatFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"format", "printf", "format_string"},
      .doc = {.group = "String",
              .signature = "format(format, value, …) → TEXT",
              .description = "The values in the places of a constant C format: %s takes anything, %d %x %X "
                             "%o %c an integer, "
                             "%f %e %g a number, with flags, width and precision; %% is a percent sign.",
              .example = "format('%s: %05.1f%%', 'cpu', 3.2)",
              .result = "\"cpu: 003.2%\""},
      .overloads = {BindFormat}});
}

}  // namespace laminar
