package api

import (
	"net/http"

	"github.com/diurna-health/diurna/schemas"
)

// errorBody is the form of every error.
type errorBody struct {
	Error errorDetail `json:"error"`
}

type errorDetail struct {
	Code    schemas.Code `json:"code"`
	Message string       `json:"message"`
}

// statusOf maps codes to HTTP. A code that is not here is ours to mend.
func statusOf(code schemas.Code) int {
	switch code {
	case schemas.CodeInvalid:
		return http.StatusBadRequest
	case schemas.CodeUnauthorized:
		return http.StatusUnauthorized
	case schemas.CodeForbidden:
		return http.StatusForbidden
	case schemas.CodeNotFound:
		return http.StatusNotFound
	case schemas.CodeConflict:
		return http.StatusConflict
	default:
		return http.StatusInternalServerError
	}
}

func (h *handler) writeError(w http.ResponseWriter, r *http.Request, err error) {
	code := schemas.ErrorCode(err)
	status, message := statusOf(code), err.Error()
	if status == http.StatusInternalServerError {
		if r.Context().Err() != nil {
			return // nobody waits for the answer
		}
		h.cfg.Logger.ErrorContext(r.Context(), "ranking request failed", schemas.LogKeyError, err)
		code, message = schemas.CodeInternal, "something went wrong here; it was noted, please ask again later"
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, status, errorBody{errorDetail{code, message}})
}
