package incident

// Repository maps workloads to the files that they are made of. Lists hold names
// and patterns with *; a pattern after ! takes away.
type Repository struct {
	Repo       string // owner/name
	Base       string // branch that a pull request is against
	Clusters   []string
	Namespaces []string
	Paths      []string // files that may be changed
}
