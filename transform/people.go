package transform

import (
	"context"
	"fmt"
)

// groupPeople puts the people of a table into groups, in order, that have about so many of its rows, and notes them in
// another table. It returns the numbers of the groups.
func (r *run) groupPeople(ctx context.Context, rows, groups string, size int) ([]int64, error) {
	if err := r.w.exec(ctx, fmt.Sprintf(`create or replace table %s as
		select user_id, cast((rows_upto - n) // %d as integer) as group_number
		from (
			select user_id, count(*) as n, sum(count(*)) over (order by user_id) as rows_upto
			from %s
			group by user_id
		)`, groups, size, rows)); err != nil {
		return nil, err
	}
	found, err := r.w.conn.QueryContext(ctx, fmt.Sprintf("select distinct group_number from %s order by group_number", groups))
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var numbers []int64
	for found.Next() {
		var n int64
		if err := found.Scan(&n); err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, found.Err()
}

// selectGroup selects the rows of a group of people.
func selectGroup(rows, groups string, number int64) string {
	return fmt.Sprintf("select o.* from %s as o semi join (select user_id from %s where group_number = %d) as g on o.user_id = g.user_id",
		rows, groups, number)
}
