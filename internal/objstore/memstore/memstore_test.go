package memstore_test

import (
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/memstore"
	"github.com/cairn-stac/cairn/internal/objstore/objstoretest"
)

func TestContract(t *testing.T) {
	objstoretest.Run(t, func(*testing.T) objstore.Store { return memstore.New() })
}
