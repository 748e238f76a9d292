package ranking

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/diurna-health/diurna/internal/ledger"
)

// pseudonymSecret names the secret that public ids are made with.
const pseudonymSecret = "ranking_pseudonyms"

// publicIDBytes is enough that ids of many millions of people do not meet.
const publicIDBytes = 10

// pseudonyms makes public ids: the same for a person at every call, and of no use to who wants the person.
type pseudonyms struct{ secret []byte }

func openPseudonyms(ctx context.Context, db *sql.DB) (pseudonyms, error) {
	secret, err := ledger.Secret(ctx, db, pseudonymSecret)
	if err != nil {
		return pseudonyms{}, fmt.Errorf("read secret of pseudonyms: %w", err)
	}
	return pseudonyms{secret}, nil
}

// publicID returns the id by which others know the person: 16 lower-case letters and digits.
func (p pseudonyms) publicID(user string) string {
	mac := hmac.New(sha256.New, p.secret)
	mac.Write([]byte(user))
	return strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:publicIDBytes]))
}

// publicName returns a name made from the public id for people to read, such as "Amber Heron 482". Two people may share
// one; the id tells them apart.
func publicName(id string) string {
	sum := sha256.Sum256([]byte(id))
	n := binary.BigEndian.Uint64(sum[:8])
	colour := nameColours[n%uint64(len(nameColours))]
	n /= uint64(len(nameColours))
	animal := nameAnimals[n%uint64(len(nameAnimals))]
	n /= uint64(len(nameAnimals))
	return fmt.Sprintf("%s %s %03d", colour, animal, n%1000)
}

// The colours and animals of names are words that are kind to everybody: no animal that is an insult somewhere, no colour of
// skin.
var nameColours = [...]string{
	"Amber", "Azure", "Coral", "Cobalt", "Copper", "Crimson", "Cyan", "Emerald", "Golden", "Indigo", "Jade",
	"Lilac", "Lime", "Magenta", "Maroon", "Mint", "Ochre", "Opal", "Orange", "Pearl", "Plum", "Quartz", "Ruby",
	"Saffron", "Sage", "Sapphire", "Scarlet", "Silver", "Teal", "Topaz", "Turquoise", "Violet",
}

var nameAnimals = [...]string{
	"Badger", "Beaver", "Bison", "Buzzard", "Condor", "Crane", "Curlew", "Deer", "Dolphin", "Eagle", "Falcon",
	"Finch", "Gannet", "Gazelle", "Heron", "Hare", "Ibex", "Ibis", "Kestrel", "Kingfisher", "Lynx", "Marlin",
	"Marten", "Moose", "Nuthatch", "Oriole", "Osprey", "Otter", "Owl", "Penguin", "Petrel", "Pika", "Plover",
	"Puffin", "Puma", "Raven", "Robin", "Salmon", "Seal", "Skylark", "Starling", "Stork", "Swallow", "Swift",
	"Tern", "Tortoise", "Wagtail", "Wren",
}
