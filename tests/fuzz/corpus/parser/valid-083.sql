SELECT c.auction FROM (SELECT a FROM b) c JOIN (SELECT MAX(n.num) AS top FROM (SELECT 1) n GROUP BY n.s) m ON c.s = m.s AND c.num >= m.top;
