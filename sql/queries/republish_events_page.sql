fetch 500 from republished
