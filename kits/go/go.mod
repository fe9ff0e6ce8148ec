module github.com/cardlab/cardlab/kits/go

go 1.19
