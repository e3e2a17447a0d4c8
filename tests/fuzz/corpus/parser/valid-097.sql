SELECT a[1], a[1:2], a[:2], a[1:], a[:], m['k'], s.f.g, (s).f, f(x).y, a[1].b.c, s['f']['g'], (a.b[2]).c;
