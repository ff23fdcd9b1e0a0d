delete from second_factors where member_id = $1
