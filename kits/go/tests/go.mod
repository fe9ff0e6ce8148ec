// Of its own, so that the kit needs nothing; piv-go is Debian's package.
module github.com/cardlab/cardlab/kits/go/tests

go 1.19

require (
	github.com/cardlab/cardlab/kits/go v0.0.0
	github.com/go-piv/piv-go v1.8.0
)

replace (
	github.com/cardlab/cardlab/kits/go => ../
	github.com/go-piv/piv-go => /usr/share/gocode/src/github.com/go-piv/piv-go
)
