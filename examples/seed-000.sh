#!/bin/sh
# The curl examples of seeds 000 and 001 as they are printed there, with a real token, user, entries and task in the places
# of the printed ones. Needs a running EngLog (npm start), curl and node. Every answer is printed; a refusal ends with 1.
#
#   sh examples/seed-000.sh [http://localhost:8080]
set -eu
url="${1:-http://localhost:8080}"

# field NAME: that field of the JSON object on standard input; a.b goes into objects
field() {
  node -e 'const v = process.argv[1].split(".").reduce((at, name) => at?.[name], JSON.parse(require("fs").readFileSync(0, "utf8")))
    if (v === undefined) process.exit(1); console.log(v)' "$1"
}
call() { curl --silent --show-error --fail-with-body "$@"; }
# submit PATH BODY: prints the answer for people, and the task's id on standard output
submit() {
  answer=$(call --request POST --url "$url$1" --header "authorization: Bearer $token" --header 'content-type: application/json' --data "$2") ||
    { echo "$answer" >&2; exit 1; }
  echo "$answer" >&2
  echo "$answer" | field task_id
}

# --- an account and three entries
session=$(call --url "$url/v1/auth/register" --header 'content-type: application/json' --data '{
  "email": "seed-'"$(date +%s)-$$"'@example.com", "password": "correct horse battery", "first_name": "Ada", "last_name": "Lovelace" }')
token=$(echo "$session" | field access_token)
user=$(echo "$session" | field user.id)
entry() {
  call --url "$url/v1/logs" --header "authorization: Bearer $token" --header 'content-type: application/json' --data '{
    "title": "'"$1"'", "type": "'"$2"'", "start_time": "'"$3"'", "end_time": "'"$4"'", "value_rating": "high", "impact_level": "product" }' | field id
}
first=$(entry "Move the queue to PostgreSQL" code 2025-07-01T09:00:00Z 2025-07-01T12:00:00Z)
second=$(entry "Review the worker protocol" review 2025-07-01T13:00:00Z 2025-07-01T14:00:00Z)
third=$(entry "Find the lost heartbeat" debug 2025-07-02T09:00:00Z 2025-07-02T11:30:00Z)

echo "# Seed 000, example 1: basic request"
task=$(submit /v1/tasks/insights '{
    "user_id": "'"$user"'",
    "entry_ids": [
      "'"$first"'",
      "'"$second"'"
    ],
    "insight_type": "productivity",
    "context": "Weekly productivity analysis for performance review"
  }')

echo "# Seed 000, example 2: the result (asked for until the task has ended)"
result() { call --request GET --url "$url/v1/tasks/$1/result" --header "authorization: Bearer $token"; }
tries=0
until result "$task" | grep --quiet --extended-regexp '"TASK_STATUS_(COMPLETED|FAILED|CANCELLED)"'; do
  tries=$((tries + 1)); [ "$tries" -lt 600 ] || { echo "the task did not end" >&2; exit 1; }
  sleep 0.5
done
result "$task"; echo

echo "# Seed 000, example 3: structured contexts"
submit /v1/tasks/insights '{
    "user_id": "'"$user"'",
    "entry_ids": ["'"$first"'", "'"$second"'", "'"$third"'"],
    "insight_type": "productivity",
    "context": {
      "analysis_type": "weekly_productivity",
      "purpose": "performance_review",
      "date_range": {
        "start": "2025-07-01",
        "end": "2025-07-31"
      },
      "filters": {
        "include_meetings": true,
        "min_value_rating": "medium",
        "activity_types": ["development", "code_review", "debugging"]
      },
      "preferences": {
        "detail_level": "high",
        "include_recommendations": true,
        "focus_areas": ["time_optimization", "efficiency_patterns"]
      }
    }
  }' >/dev/null
submit /v1/tasks/insights '{
  "user_id": "'"$user"'",
  "entry_ids": ["'"$first"'", "'"$second"'"],
  "insight_type": "skill_development",
  "context": {
    "career_goal": "senior_architect",
    "focus_areas": ["golang", "system_design", "leadership"],
    "current_level": "senior_developer",
    "time_frame": "6_months",
    "learning_preferences": {
      "hands_on": true,
      "mentorship": true,
      "certification": false
    },
    "skill_assessment": {
      "golang": "advanced",
      "architecture": "intermediate",
      "leadership": "beginner"
    }
  }
}' >/dev/null
submit /v1/tasks/insights '{
  "user_id": "'"$user"'",
  "entry_ids": ["'"$first"'", "'"$second"'", "'"$third"'"],
  "insight_type": "time_management",
  "context": {
    "optimization_goal": "reduce_context_switching",
    "time_blocks": ["morning", "afternoon"],
    "problem_areas": ["too_many_meetings", "fragmented_coding_time"],
    "constraints": {
      "meeting_free_hours": ["09:00-11:00", "14:00-16:00"],
      "deep_work_preference": "morning"
    },
    "metrics_focus": ["time_in_flow_state", "interruption_frequency"],
    "action_preferences": {
      "calendar_restructuring": true,
      "notification_management": true,
      "task_batching": true
    }
  }
}' >/dev/null

echo "# Seed 000, example 4: context as text"
submit /v1/tasks/insights '{
  "user_id": "'"$user"'",
  "entry_ids": ["'"$first"'", "'"$second"'"],
  "insight_type": "productivity",
  "context": "Focus on identifying time optimization opportunities and efficiency patterns"
}' >/dev/null

echo "# Seed 001: insight, report, workers"
submit /v1/tasks/insights '{
     "user_id": "'"$user"'",
     "entry_ids": ["'"$first"'", "'"$second"'"],
     "insight_type": "productivity",
     "context": "Weekly review analysis"
   }' >/dev/null
submit /v1/tasks/reports '{
     "user_id": "'"$user"'",
     "start_date": "2025-07-01",
     "end_date": "2025-07-31"
   }' >/dev/null
call --url "$url/v1/workers" --header "authorization: Bearer $token"; echo
call --url "$url/v1/workers/health" --header "authorization: Bearer $token"; echo
