SELECT j -> 'a' ->> 'b', j #> '{a}', j #>> '{a,b}', j ? 'k', a @> b, a <@ b, j -> 0;
