SELECT timestamp.start, window.end, s.order, s.select.from FROM window;
