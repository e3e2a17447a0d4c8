#include "sql/parser.h"

#include <gtest/gtest.h>

namespace laminar::sql {
namespace {

TEST(Smoke, Statements) {
  const char* script = R"(
    CREATE TABLE bids (id INT NOT NULL, price DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS (ts - INTERVAL '5' SECOND), PRIMARY KEY (id) NOT ENFORCED) WITH (connector = 'kafka', 'tls.ca' = 'x', n = 5);
    CREATE VIEW v AS SELECT count(*) count, end FROM bids GROUP BY TUMBLE(timestamp, INTERVAL '1 HOUR');
    SELECT * FROM events WITH (connector = 'kafka', topic = 'a') AS e WHERE x->>'a' == 'b';
    INSERT INTO t SELECT a, b FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' SECOND)) w JOIN c FOR SYSTEM_TIME AS OF w.p AS d ON w.x = d.y;
  )";
  const ParsedScript parsed = ParseScript(script);
  for (const UserError& error : parsed.errors) ADD_FAILURE() << RenderError(error, "t", script);
  EXPECT_EQ(parsed.statements.size(), 4u);
}

}  // namespace
}  // namespace laminar::sql
