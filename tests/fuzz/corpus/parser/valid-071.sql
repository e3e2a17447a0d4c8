SELECT o.a FROM orders o LEFT JOIN dim FOR SYSTEM_TIME AS OF o.ts d ON o.k = d.k;
