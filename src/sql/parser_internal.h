#pragma once

/// The parser class. Its methods live in parser*.cc by subject: tokens and errors (parser.cc), expressions,
/// primaries, function calls, types, queries, tables in FROM, table definitions, statements.
///
/// Conventions: `ParseX` takes an X or throws UserError; `TakeX` takes it if it is there; `AtX` only looks.
/// Every failed Take or Expect notes what was looked for, so that an error can list what would have been
/// right at that place.

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/ast.h"
#include "sql/lexer.h"
#include "sql/parser.h"

namespace laminar::sql {

/// Binding strength of operators, weakest first; PostgreSQL's order.
enum Level : int {
  kLevelNone = 0,
  kLevelOr,
  kLevelAnd,
  kLevelNot,
  kLevelIs,
  kLevelComparison,
  kLevelRange,  ///< BETWEEN, IN, LIKE
  kLevelOther,  ///< ||, ->, @>, ~ and all other symbols
  kLevelSum,
  kLevelProduct,
  kLevelPower,
  kLevelAtZone,
  kLevelUnary,
};

/// The operator that stands at the current token.
struct Infix {
  enum class Kind { kNone, kBinary, kChain, kIs, kIn, kLike, kBetween, kAtZone };
  Kind kind = Kind::kNone;
  int level = kLevelNone;
  std::string_view op;  ///< kBinary, kChain (AND, OR), kLike: the text in the tree
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), list_(Tokenize(text)) {}

  ParsedScript ParseScript();
  ExprPtr ParseLoneExpression();

 private:
  // ---- tokens (parser.cc) ----
  const Token& Peek(size_t ahead = 0) const;
  /// Is the token that symbol, or that unquoted word (given in upper case)?
  bool At(std::string_view what, size_t ahead = 0) const;
  bool AtAny(std::initializer_list<std::string_view> words, size_t ahead = 0) const;
  bool AtName(size_t ahead = 0) const;     ///< a word that is not reserved, or a quoted name
  bool AtAnyName(size_t ahead = 0) const;  ///< any word, or a quoted name
  bool AtStatementEnd(size_t ahead = 0) const;
  bool AtQuery(size_t ahead = 0) const;  ///< SELECT, WITH, VALUES ( or brackets around one
  size_t PartnerOffset(
      size_t ahead) const;  ///< how far ahead the token behind the closing bracket is; 0: none
  void Advance();
  bool Take(std::string_view what);
  bool Take(std::string_view first, std::string_view second);  ///< two words or none
  void Expect(std::string_view what);
  void Open(std::string_view bracket);
  bool TakeOpen(std::string_view bracket);
  void Close(std::string_view bracket);
  void TakeAngle();  ///< `>`, also the first half of `>>` or `>=`
  void NoteExpected(std::string_view what);
  int64_t Begin() const { return Peek().span.offset; }
  SourceSpan Since(int64_t begin) const { return {begin, last_end_ - begin}; }
  std::string Written(const Token& token) const;

  Identifier ParseName(std::string_view what);
  Identifier ParseAnyName(std::string_view what);  ///< reserved words too: behind a dot
  std::vector<Identifier> ParseNameList();         ///< (a, b)
  std::string ParseString(std::string_view what);
  std::optional<Identifier> TakeAlias();  ///< [AS] name
  bool AtClauseWord() const;
  int ParseSmallNumber(std::string_view what, int max);

  template <typename ParseOne>
  void ParseList(ParseOne parse_one) {
    do {
      parse_one();
    } while (Take(","));
  }

  // ---- errors (parser.cc) ----
  /// The current token fits nothing: says what was found, what was expected, and what probably is meant.
  [[noreturn]] void Fail(std::string_view expected = "");
  [[noreturn]] void FailAt(SourceSpan span, std::string message, std::string hint = "");
  [[noreturn]] void Unsupported(SourceSpan span, std::string message, std::string hint = "");
  void ThrowLexicalError(const Token& token);
  void ThrowUnclosedBracket();
  void ThrowMisspeltAlias();
  std::string DescribeToken() const;
  std::string DescribeExpected(std::string_view expected) const;
  std::string GuessHint(std::string_view expected) const;
  std::string NearestKeyword(size_t index) const;
  std::string SymbolHint() const;
  std::string DeclaredName(size_t start) const;
  void SkipStatement(UserError& error);

  /// Bounds the recursion; one per level of nesting.
  class Nesting {
   public:
    explicit Nesting(Parser& parser);
    ~Nesting() { --parser_.depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    Parser& parser_;
  };

  /// Bounds the height of trees that a loop builds (a + b + c …), which no recursion of the parser shows:
  /// inside its scope `LowerTree` says that all parsed since its constructor went down one level.
  class Chain {
   public:
    explicit Chain(Parser& parser) : parser_(parser), outer_(parser.deepest_) {
      parser.deepest_ = parser.depth_;
    }
    ~Chain() { parser_.deepest_ = std::max(parser_.deepest_, outer_); }
    Chain(const Chain&) = delete;
    Chain& operator=(const Chain&) = delete;

   private:
    Parser& parser_;
    int outer_;
  };
  void LowerTree();

  // ---- expressions (parser_expression.cc) ----
  ExprPtr ParseExpr();
  ExprPtr ParseExprAt(int level);
  ExprPtr ParsePrefix();
  ExprPtr ParsePostfix();
  Infix PeekInfix() const;
  Infix PeekWordInfix() const;
  ExprPtr ParseInfix(ExprPtr left, int64_t begin, const Infix& infix);
  ExprPtr ParseBinary(ExprPtr left, int64_t begin, const Infix& infix);
  ExprPtr ParseLogicalChain(ExprPtr left, int64_t begin, const Infix& infix);
  ExprPtr ParseQuantified(ExprPtr left, int64_t begin, const Infix& infix);
  ExprPtr ParseIs(ExprPtr left, int64_t begin);
  ExprPtr ParseIn(ExprPtr left, int64_t begin);
  ExprPtr ParseLike(ExprPtr left, int64_t begin, const Infix& infix);
  ExprPtr ParseBetween(ExprPtr left, int64_t begin);
  ExprPtr ParseAtTimeZone(ExprPtr left, int64_t begin);
  ExprPtr ParseSubscript(ExprPtr base, int64_t begin);
  std::vector<ExprPtr> ParseExprList();
  OrderItem ParseOrderItem();
  std::vector<OrderItem> ParseOrderBy();  ///< behind ORDER: BY item, …

  ExprPtr Make(ExprKind kind) const;
  ExprPtr Finish(ExprPtr expr, int64_t begin) const;
  ExprPtr MakeCall(std::string_view name, SourceSpan name_span) const;
  ExprPtr MakeString(std::string text, SourceSpan span) const;

  // ---- primaries (parser_primary.cc) ----
  ExprPtr ParsePrimary();
  ExprPtr ParseSymbolPrimary();
  ExprPtr ParseWordPrimary();
  ExprPtr ParseLiteral();
  ExprPtr ParseNameOrCall();
  ExprPtr ParseBrackets();
  ExprPtr ParseArray();
  ExprPtr ParseMap();
  ExprPtr ParseStruct();
  ExprPtr ParseCase();
  ExprPtr ParseCast();
  ExprPtr ParseInterval();
  ExprPtr ParseTypedString();
  bool AtTypedString() const;
  bool AtInterval() const;

  // ---- function calls (parser_function.cc) ----
  ExprPtr ParseCall(std::vector<Identifier> names, int64_t begin);
  void ParseSpecialArguments(Expr& call);
  void ParseArguments(Expr& call);
  void ParseMoreArguments(Expr& call);
  ExprPtr ParseArgument(bool json);
  void ParseArgumentTail(Expr& call);
  void ParseCallSuffixes(Expr& call);
  bool TakeNullTreatment(Expr& call);
  void ParseExtractArguments(Expr& call);
  void ParseTrimArguments(Expr& call);
  void ParseSubstringArguments(Expr& call);
  void ParsePositionArguments(Expr& call);
  void ParseOverlayArguments(Expr& call);
  void ParseRoundToArguments(Expr& call);
  void ParseUnitArguments(Expr& call);
  void ParseJsonArguments(Expr& call, bool builder);
  void ParseJsonClauses(Expr& call);
  bool TakeJsonClause(Expr& call);
  void ParseJsonBehaviour(Expr& call);
  std::unique_ptr<WindowSpec> ParseOver();
  std::unique_ptr<WindowSpec> ParseWindowSpec();
  bool AtFrame() const;
  void ParseFrame(WindowSpec& window);
  FrameBound ParseFrameBound();

  // ---- types (parser_type.cc) ----
  Type ParseType();
  Type ParseTypeBase();
  Type ParseNumericType(std::string_view word);
  Type ParseDecimalType();
  Type ParseTimestampType(std::string_view word);
  Type ParseNestedType(std::string_view word);
  Type ParseStructType();
  std::optional<int> TakePrecision(int max);
  void SkipLength();
  void SkipIntervalQualifier();
  bool TakeTimeZone();
  bool TakeTypeNullability();

  // ---- queries (parser_query.cc) ----
  QueryPtr ParseQuery();
  void ParseWith(Query& query);
  QueryPtr ParseUnion();
  QueryPtr ParseIntersect();
  QueryPtr ParseQueryPrimary();
  QueryPtr CombineQueries(QueryPtr left, QueryPtr right, SetOperation operation, int64_t begin) const;
  QueryPtr WrapQuery(QueryPtr inner) const;
  void ParseValues(Query& query);
  void ParseQueryTail(Query& query);
  void ParseLimit(Query& query);
  void ParseFetch(Query& query);
  std::unique_ptr<Select> ParseSelect();
  SelectItem ParseSelectItem();
  void ParseStar(SelectItem& item);
  void ParseGroupBy(Select& select);
  void AddKeys(ExprPtr expr, std::vector<ExprPtr>& keys);
  void ParseWindowClause(Select& select);
  bool AtWindowClause() const;

  // ---- tables in FROM (parser_table.cc) ----
  TableRefPtr ParseFrom();
  TableRefPtr ParseJoined();
  TableRefPtr ParseTable();
  TableRefPtr ParseNamedTable();
  TableRefPtr ParseBracketTable();
  TableRefPtr ParseUnnest();
  [[noreturn]] void FailTableFunction(const Identifier& name);
  TableRefPtr ParseWindowTable();
  void ParseWindowArguments(TableRef& table);
  void ParseWindowArgument(TableRef& table, std::vector<std::pair<std::string, ExprPtr>>& named);
  void OrderWindowSizes(TableRef& table, std::vector<std::pair<std::string, ExprPtr>>& named,
                        SourceSpan span);
  TableRefPtr ParseTableArgument(TableRef& window);
  ExprPtr ParseDescriptor();
  void ParseTableSuffixes(TableRef& table);
  bool TakeAsOf(TableRef& table);
  bool TakeTableAlias(TableRef& table);
  std::optional<JoinKind> TakeJoin(bool& natural);
  bool AtJoin() const;
  void ParseJoinCondition(TableRef& join);
  bool AtWindowFunction() const;
  TableRefPtr MakeTable(TableKind kind) const;

  // ---- table definitions and options (parser_definition.cc) ----
  struct TableItems {
    std::vector<ColumnDefinition> columns;
    std::vector<Identifier> primary_key;
    std::vector<Statement::Watermark> watermarks;
  };
  TableItems ParseTableItems();
  bool TakeTableConstraint(TableItems& items);
  Statement::Watermark ParseWatermark();
  ColumnDefinition ParseColumn();
  bool TakeColumnOption(ColumnDefinition& column);
  void ParseGenerated(ColumnDefinition& column);
  void ParseComputed(ColumnDefinition& column);
  std::vector<OptionAssignment> ParseOptions();
  OptionAssignment ParseOption();
  void ParseOptionName(OptionAssignment& option);
  std::string ParseOptionValue();
  std::string ParseOptionArray(std::string_view close);

  // ---- statements (parser_statement.cc) ----
  Statement ParseStatement();
  void ParseStatementBody(Statement& statement);
  void ParseCreate(Statement& statement);
  void ParseCreateTable(Statement& statement);
  void ParseCreateView(Statement& statement);
  void ParseCreatePipeline(Statement& statement);
  void ParseCreateFunction(Statement& statement);
  void ParseFunctionSignature(Statement& statement);
  bool TakeFunctionClause(Statement& statement);
  void ParseFunctionBody(Statement& statement);
  void ParseInsert(Statement& statement);
  void ParseSet(Statement& statement);
  void ParseReset(Statement& statement);
  void ParseExplain(Statement& statement);
  void ParseDrop(Statement& statement);
  void ParseShow(Statement& statement);
  void ParseDescribe(Statement& statement);
  void ParseStartStop(Statement& statement);
  void ParseRefused(Statement& statement);
  Identifier ParseTableName();
  bool TakeIfNotExists();
  Identifier ParseSettingName();

  std::string_view text_;
  TokenList list_;
  size_t pos_ = 0;
  int64_t last_end_ = 0;  ///< byte behind the last token taken
  int depth_ = 0;
  int deepest_ = 0;
  std::vector<std::string_view> expected_;  ///< what was looked for at token expected_pos_ (literals only)
  size_t expected_pos_ = 0;
  size_t alias_pos_ = SIZE_MAX;     ///< the last word that was taken as an alias without AS
  size_t operator_pos_ = SIZE_MAX;  ///< where an operator could have stood last
  std::vector<size_t> open_;        ///< brackets being parsed
};

}  // namespace laminar::sql
