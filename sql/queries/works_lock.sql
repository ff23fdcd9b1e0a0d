select {works} from works where key = any($1::text[]) order by key for no key update
