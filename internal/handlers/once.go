package handlers

import (
	"context"
	"crypto/sha256"
	"strings"

	"golang.org/x/sync/singleflight"

	"salve/internal/fault"
	"salve/internal/identity"
	"salve/internal/store"
)

// Answers keeps first answers for an Idempotency-Key. Answered gives nil when
// there is none; KeepAnswer gives the one that was first.
type Answers interface {
	Answered(ctx context.Context, caller, route, key string) (*store.Answered, error)
	KeepAnswer(ctx context.Context, caller, route, key string, a store.Answered) (*store.Answered, error)
}

// Once gives all deliveries under one Idempotency-Key the first one's answer,
// word for word. A refusal is not kept: the sender may mend the body.
type Once struct {
	Answers Answers

	atOnce singleflight.Group // deliveries under one key at the same time share one answer
}

// take is what takes a delivery when there is no answer yet.
type take func(context.Context, identity.Caller, IntakeRequest) (Answer, error)

func (o *Once) answer(ctx context.Context, caller identity.Caller, req IntakeRequest, do take) (Answer, error) {
	if req.IdempotencyKey == "" {
		return do(ctx, caller, req)
	}
	hash := sha256.Sum256(req.Body)
	first, err := o.Answers.Answered(ctx, caller.Subject, req.Route, req.IdempotencyKey)
	if err != nil {
		return Answer{}, err
	}
	if first == nil {
		if first, err = o.takeFirst(ctx, caller, req, hash, do); err != nil {
			return Answer{}, err
		}
	}
	if first.BodyHash != hash {
		return Answer{}, fault.New(fault.IdempotencyMismatch, "another body was sent under this Idempotency-Key; a new body needs a new key")
	}
	return Answer{Raw: first.Answer}, nil
}

// takeFirst takes one of several deliveries that came under one key at once; the
// others wait for its answer.
func (o *Once) takeFirst(ctx context.Context, caller identity.Caller, req IntakeRequest, hash [32]byte, do take) (*store.Answered, error) {
	key := strings.Join([]string{caller.Subject, req.Route, req.IdempotencyKey}, "\x00")
	answered, err, _ := o.atOnce.Do(key, func() (any, error) {
		return o.takeOnce(context.WithoutCancel(ctx), caller, req, hash, do)
	})
	if err != nil {
		return nil, err
	}
	return answered.(*store.Answered), nil
}

func (o *Once) takeOnce(ctx context.Context, caller identity.Caller, req IntakeRequest, hash [32]byte, do take) (*store.Answered, error) {
	answer, err := do(ctx, caller, req)
	if err != nil {
		return nil, err
	}
	raw, err := answer.AppendJSON(nil)
	if err != nil {
		return nil, err
	}
	return o.Answers.KeepAnswer(ctx, caller.Subject, req.Route, req.IdempotencyKey, store.Answered{BodyHash: hash, Answer: raw})
}
