SELECT o.a FROM orders AS o JOIN dim FOR SYSTEM_TIME AS OF o.p_time AS d ON o.k = d.k;
