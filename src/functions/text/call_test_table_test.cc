#include "functions/text/call_test_table.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <cctype>

#include "base/arrow_result.h"
#include "base/error.h"
#include "functions/register_aggregates.h"
#include "functions/register_scalar_core.h"
#include "functions/register_text.h"
#include "functions/registry.h"
#include "functions/value_text.h"

namespace laminar {
namespace {

/// One call with its operands already evaluated to constants.
struct ParsedCall {
  std::string name;
  std::vector<ExpressionPtr> arguments;
};

/// Operand: literal or call. The whole text: an operand, or two with an operator between them.
class CallParser {
 public:
  explicit CallParser(const std::string& text) : text_(text) {}

  ParsedCall ParseAll() {
    ParsedCall call = ParseOuter();
    SkipSpace();
    if (at_ != text_.size()) throw std::runtime_error("test: cannot read " + text_.substr(at_));
    return call;
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool Take(char c) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool StartsCall() const {
    size_t end = at_;
    while (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_'))
      ++end;
    return end > at_ && end < text_.size() && text_[end] == '(';
  }

  ParsedCall ParseOuter() {
    SkipSpace();
    if (StartsCall()) return ParseCall();
    ParsedCall call;
    call.arguments.push_back(ParseOperand());
    SkipSpace();
    const size_t end = text_.find(' ', at_);
    call.name = text_.substr(at_, end - at_);
    at_ = end;
    call.arguments.push_back(ParseOperand());
    return call;
  }

  ParsedCall ParseCall() {
    const size_t open = text_.find('(', at_);
    ParsedCall call{text_.substr(at_, open - at_), {}};
    at_ = open + 1;
    if (Take(')')) return call;
    do call.arguments.push_back(ParseOperand());
    while (Take(','));
    if (!Take(')')) throw std::runtime_error("test: ')' missing in " + text_);
    return call;
  }

  std::string ParseText() {
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\'' && (at_ + 1 >= text_.size() || text_[at_ + 1] != '\'')) break;
      if (text_[at_] == '\'') ++at_;
      out.push_back(text_[at_]);
    }
    ++at_;
    return out;
  }

  ExpressionPtr ParseOperand() {
    SkipSpace();
    if (StartsCall()) {
      ParsedCall call = ParseCall();
      return TextRegistryForTest().BindScalar(call.name, std::move(call.arguments));
    }
    if (text_[at_] == '\'') return MakeText(ParseText());
    size_t end = at_;
    while (end < text_.size() && text_[end] != ',' && text_[end] != ')' && text_[end] != ' ') ++end;
    const std::string word = text_.substr(at_, end - at_);
    at_ = end;
    if (word == "JSON") {
      SkipSpace();
      return MakeLiteral(arrow::MakeScalar(ParseText()), Type::Json());
    }
    if (word == "NULL") return MakeNull(Type::Null());
    if (word == "true" || word == "false") return MakeBoolean(word == "true");
    if (word.find('.') != std::string::npos)
      return MakeLiteral(arrow::MakeScalar(std::stod(word)), Type::Double());
    return MakeInt64(std::stoll(word));
  }

  std::string text_;
  size_t at_ = 0;
};

enum class Around { kNulls, kSame };

/// The argument's value in row 1 of a slice at offset 2, with NULLs (or the value again) in rows 0 and 2.
std::shared_ptr<arrow::Array> SlicedColumn(const arrow::Scalar& value, const Type& type, Around around) {
  auto repeated = OrThrow(arrow::MakeArrayFromScalar(value, 2));
  auto one = OrThrow(arrow::MakeArrayFromScalar(value, 1));
  auto null = around == Around::kSame ? one : OrThrow(arrow::MakeArrayOfNull(type.arrow_type(), 1));
  return OrThrow(arrow::Concatenate({repeated, null, one, null, one}))->Slice(2, 3);
}

EvalContext TestContext() {
  static const ManualClock clock;
  return {&clock, 0};
}

std::string RowAsJson(const arrow::Datum& datum, int64_t row, const Type& type) {
  if (datum.is_scalar()) return ScalarToJson(*datum.scalar(), type);
  const auto array = datum.make_array();
  OrThrow(array->ValidateFull());
  return ScalarToJson(*OrThrow(array->GetScalar(row)), type);
}

/// Row 1 of the call with the first `columns` arguments as columns.
std::string EvaluateWithColumns(const ParsedCall& call, size_t columns, Around around) {
  Batch batch;
  batch.num_rows = 3;
  std::vector<ExpressionPtr> arguments = call.arguments;
  for (size_t i = 0; i < columns; ++i) {
    const Type type = arguments[i]->type();
    const auto value = FoldConstant(*arguments[i]);
    batch.columns.push_back(SlicedColumn(*value, type, around));
    arguments[i] = MakeColumn(static_cast<int>(i), "c" + std::to_string(i), type);
  }
  const ExpressionPtr bound = TextRegistryForTest().BindScalar(call.name, arguments);
  const arrow::Datum result = OrThrow(bound->Evaluate(batch, TestContext()));
  if (result.is_array()) {
    EXPECT_EQ(result.length(), 3);
  }
  return RowAsJson(result, 1, bound->type());
}

std::string Evaluate(const ParsedCall& call) {
  const ExpressionPtr bound = TextRegistryForTest().BindScalar(call.name, call.arguments);
  Batch batch;
  batch.num_rows = 1;
  return RowAsJson(OrThrow(bound->Evaluate(batch, TestContext())), 0, bound->type());
}

bool CanBeColumns(const ParsedCall& call, size_t columns) {
  for (size_t i = 0; i < columns; ++i) {
    if (!FoldConstant(*call.arguments[i])) return false;
  }
  return true;
}

}  // namespace

const FunctionRegistry& TextRegistryForTest() {
  static const auto registry = [] {
    auto made = std::make_unique<FunctionRegistry>();
    RegisterTextFunctions(*made);
    return made;
  }();
  return *registry;
}

std::string EvaluateConstantCall(const std::string& call) { return Evaluate(CallParser(call).ParseAll()); }

void ExpectCalls(const std::vector<CallCase>& cases) {
  for (const CallCase& test : cases) {
    SCOPED_TRACE(test.call);
    try {
      const ParsedCall call = CallParser(test.call).ParseAll();
      EXPECT_EQ(Evaluate(call), test.result);
      for (const size_t columns : {size_t{1}, call.arguments.size()}) {
        if (columns > call.arguments.size() || !CanBeColumns(call, columns)) continue;
        try {
          EXPECT_EQ(EvaluateWithColumns(call, columns, Around::kSame), test.result) << columns << " columns";
          // A NULL key is an error of its row.
          if (call.name.starts_with("json_object")) continue;
          EXPECT_EQ(EvaluateWithColumns(call, columns, Around::kNulls), test.result)
              << columns << " columns with NULLs";
        } catch (const UserError&) {
          // Constants wanted.
        }
      }
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

std::string ErrorOfCall(const std::string& call) {
  try {
    EvaluateConstantCall(call);
  } catch (const UserError& error) {
    return error.message();
  } catch (const QueryError& error) {
    return error.what();
  }
  return "";
}

// Adding a name twice aborts.
TEST(TextFunctions, NamesAreTheirsAlone) {
  FunctionRegistry all;
  RegisterCoreFunctions(all);
  RegisterTextFunctions(all);
  RegisterAggregateFunctions(all);
  EXPECT_NE(all.FindScalar("json_value"), nullptr);
}

TEST(TextFunctionDocs, EveryExampleGivesItsResult) {
  for (const ScalarFunction* function : TextRegistryForTest().scalars()) {
    ExpectCalls({{function->doc.example, function->doc.result}});
    EXPECT_FALSE(function->doc.group.empty());
    EXPECT_FALSE(function->doc.signature.empty());
    EXPECT_TRUE(function->doc.description.ends_with('.')) << function->doc.description;
  }
}

}  // namespace laminar
